"""From ELF to the flat image, with files made by hand."""

from __future__ import annotations

import pytest

from fotabuild.errors import ElfError
from fotabuild.formats.elf_image import flatten, read_segments

from .elf_files import Load, make_elf

KINDS = pytest.mark.parametrize(("bits", "endian"), [(32, "<"), (32, ">"), (64, "<"), (64, ">")])
# Code and initial data in flash; the data runs from RAM, so its virtual address is elsewhere.
CODE = Load(0x1000, b"code-code")
DATA = Load(0x1010, b"data", virtual=0x20000000)
FLAT = b"code-code" + bytes(7) + b"data"


@KINDS
def test_segments_are_laid_out_by_physical_address(bits: int, endian: str) -> None:
    for loads in ((CODE, DATA), (DATA, CODE)):
        flat = flatten(make_elf(bits, endian, *loads))
        assert (flat.address, flat.content) == (0x1000, FLAT)


@KINDS
def test_holes_are_filled(bits: int, endian: str) -> None:
    flat = flatten(make_elf(bits, endian, CODE, DATA), fill=0xFF)
    assert flat.content == b"code-code" + b"\xff" * 7 + b"data"


@KINDS
def test_what_is_not_in_the_file_or_not_loaded_stays_out(bits: int, endian: str) -> None:
    bss = Load(0x20000004, b"", memory=64)
    note = Load(0x500, b"note", kind=4)
    flat = flatten(make_elf(bits, endian, note, CODE, bss, DATA))
    assert (flat.address, flat.content) == (0x1000, FLAT)


def test_address_of_a_64_bit_file_may_need_64_bits() -> None:
    assert flatten(make_elf(64, "<", Load(1 << 40, b"x"))).address == 1 << 40


@KINDS
def test_every_cut_is_named(bits: int, endian: str) -> None:
    elf = make_elf(bits, endian, CODE, DATA)
    assert flatten(elf).content == FLAT
    for size in range(len(elf)):
        with pytest.raises(ElfError):
            flatten(elf[:size])


@pytest.mark.parametrize(
    ("elf", "problem"),
    [
        (b"\x7fELG" + bytes(60), "not an ELF file"),
        (b"\x7fELF\x03\x01" + bytes(60), "header is damaged"),
        (b"\x7fELF\x01\x03" + bytes(60), "header is damaged"),
        (make_elf(32, "<"), "no loadable bytes"),
        (make_elf(32, "<", Load(0, b"", memory=9)), "no loadable bytes"),
        (make_elf(32, "<", CODE, Load(0x1008, b"over")), "overlap at address 0x1008"),
        (make_elf(32, "<", CODE, CODE), "overlap at address 0x1000"),
        (make_elf(32, "<", CODE, Load(0x20000000, b"ram")), "a hole of"),
        (make_elf(32, "<", *[Load(i, b"") for i in range(1025)]), "1025 program headers"),
    ],
)
def test_unusable_files_are_named(elf: bytes, problem: str) -> None:
    with pytest.raises(ElfError, match=problem):
        flatten(elf)


def test_program_headers_of_another_size_are_refused() -> None:
    elf = bytearray(make_elf(32, "<", CODE))
    elf[42] += 1
    with pytest.raises(ElfError, match="1 program headers of 33 bytes"):
        flatten(bytes(elf))


@KINDS
def test_segments_keep_the_order_of_the_file(bits: int, endian: str) -> None:
    segments = read_segments(make_elf(bits, endian, DATA, CODE))
    assert [(s.address, s.content) for s in segments] == [(0x1010, b"data"), (0x1000, b"code-code")]
