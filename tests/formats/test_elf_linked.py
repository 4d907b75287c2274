"""Images of really linked files: without the ELF header that linkers put into segments."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fotabuild.errors import ElfError
from fotabuild.formats import elf_image

pytestmark = pytest.mark.cc
SOURCE = """
int counter = 7;
const char text[] = "behind a bootloader";
int _start(void) { return counter + text[0]; }
"""


@pytest.fixture(params=["0x8200", "0x10000", "0x08008200"])
def linked(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """Return firmware linked to an address, as a board with a bootloader does."""
    (tmp_path / "app.c").write_text(SOURCE, encoding="ascii")
    (tmp_path / "app.ld").write_text(
        f"MEMORY {{ FLASH (rx) : ORIGIN = {request.param}, LENGTH = 64K }}\n"
        "SECTIONS { .text : { *(.text*) *(.rodata*) *(.eh_frame*) } > FLASH\n"
        ".data : { *(.data*) } > FLASH }\n",
        encoding="ascii",
    )
    compiler = [shutil.which("cc") or "cc"]
    if shutil.which("cc") is None:
        compiler = [sys.executable, "-m", "ziglang", "cc"]
    flags = ["-nostdlib", "-static", "-fno-pic", "-no-pie", "-Wl,--build-id=none"]
    subprocess.run(
        [*compiler, *flags, "-Wl,-T,app.ld", "app.c", "-o", "app.elf"], cwd=tmp_path, check=True
    )
    return tmp_path / "app.elf"


def test_image_is_what_objcopy_makes(linked: Path, request: pytest.FixtureRequest) -> None:
    elf = linked.read_bytes()
    flat = elf_image.flatten(elf)
    assert flat.address == int(request.node.callspec.params["linked"], 16)
    assert elf_image.MAGIC not in flat.content
    assert b"behind a bootloader" in flat.content
    objcopy = shutil.which("objcopy")
    if objcopy is not None:
        image = linked.with_suffix(".bin")
        subprocess.run([objcopy, "-O", "binary", linked, image], check=True)
        assert flat.content == image.read_bytes()


def test_a_header_in_the_segment_is_never_taken_for_code(linked: Path) -> None:
    elf = bytearray(linked.read_bytes())
    assert elf[4] == 2
    elf[40:48] = bytes(8)  # No section table: nothing says where the code begins.
    segments_with_header = any(
        int.from_bytes(elf[at + 8 : at + 16], "little") == 0
        and int.from_bytes(elf[at : at + 4], "little") == 1
        for at in range(64, 64 + 56 * int.from_bytes(elf[56:58], "little"), 56)
    )
    if segments_with_header:
        with pytest.raises(ElfError, match="ELF header"):
            elf_image.flatten(bytes(elf))
    else:
        assert elf_image.MAGIC not in elf_image.flatten(bytes(elf)).content
