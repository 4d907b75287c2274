"""Our flat images are those of ``objcopy -O binary``, where this machine has it."""

from __future__ import annotations

import itertools
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from fotabuild.formats.elf_image import flatten

from .elf_files import ARM, X86, X86_64, Load, make_elf

LOADS = (
    Load(0x8000, b"vectors and code"),
    Load(0x8021, b"table"),
    Load(0x8030, b"initial data", virtual=0x20000000),
)
BY_HAND = b"vectors and code".ljust(0x21, b"\0") + b"table".ljust(0x0F, b"\0") + b"initial data"
# Which files each objcopy knows: that of the machine itself, and that for Arm.
_KNOWN = {
    "objcopy": ((32, "<", X86), (64, "<", X86_64)) if platform.machine() == "x86_64" else (),
    "arm-none-eabi-objcopy": ((32, "<", ARM), (32, ">", ARM)),
}
CASES = [
    *(("by hand", bits, endian, ARM) for bits in (32, 64) for endian in "<>"),
    *((name, *kind) for name, kinds in _KNOWN.items() if shutil.which(name) for kind in kinds),
]


@pytest.mark.parametrize(("program", "bits", "endian", "machine"), CASES)
def test_our_image_is_that_of(
    program: str, bits: int, endian: str, machine: int, tmp_path: Path
) -> None:
    elf = make_elf(bits, endian, *LOADS, sections=True, machine=machine)
    expected = BY_HAND if program == "by hand" else objcopy(program, elf, tmp_path)
    assert (flatten(elf).address, flatten(elf).content) == (LOADS[0].physical, expected)


def test_order_of_segments_and_sections_do_not_matter() -> None:
    for loads in itertools.permutations(LOADS):
        for sections in (False, True):
            assert flatten(make_elf(32, "<", *loads, sections=sections)).content == BY_HAND


def objcopy(program: str, elf: bytes, folder: Path) -> bytes:
    (folder / "in.elf").write_bytes(elf)
    subprocess.run([program, "-O", "binary", "in.elf", "out.bin"], cwd=folder, check=True)
    return (folder / "out.bin").read_bytes()
