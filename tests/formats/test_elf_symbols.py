"""Sections and symbols of linked files, as places in the flat image."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from fotabuild.errors import ElfError
from fotabuild.formats.elf_image import flatten
from fotabuild.formats.elf_symbols import ElfRange, read_map
from fotabuild.limits import READ_LIMITS, ReadLimits

from .c_dump import compiler
from .elf_linked_files import (
    ARM,
    LAYOUTS,
    LOCAL,
    OBJECT,
    SECTION,
    X86_64,
    Part,
    Sym,
    make_linked,
)

TEXT = Part(".text", 0x8000, bytes(range(64)))
DATA = Part(".data", 0x20000000, b"d" * 16, load=0x8050)
layouts = pytest.mark.parametrize(("bits", "endian"), LAYOUTS)


@layouts
def test_places_in_the_image(bits: int, endian: str) -> None:
    symbols = [
        Sym("main", 0x8001, 20),
        Sym("table", 0x8020, 8, kind=OBJECT),
        Sym("counter", 0x20000004, 4, section=2, kind=OBJECT),
    ]
    elf = make_linked([TEXT, DATA], symbols, bits, endian)
    found = read_map(elf)
    assert found.content == flatten(elf).content
    # The hole between the two sections is part of the image; .data lies where it is stored.
    assert found.sections == (ElfRange(".text", 0, 64), ElfRange(".data", 80, 16))
    assert found.symbols == (
        ElfRange("main", 0, 20),
        ElfRange("table", 32, 8),
        ElfRange("counter", 84, 4),
    )


def test_the_lowest_bit_means_thumb_on_arm_alone() -> None:
    symbols = [Sym("odd", 0x8003, 4)]
    assert read_map(make_linked([TEXT], symbols, machine=ARM)).symbols[0].offset == 2
    other = make_linked([TEXT], symbols, 64, machine=X86_64)
    assert read_map(other).symbols[0].offset == 3


@pytest.mark.parametrize(
    "symbol",
    [
        Sym("no_size", 0x8000, 0),
        Sym("section", 0x8000, 64, kind=SECTION),
        Sym("undefined", 0x8000, 4, section=0),
        Sym("absolute", 0x8000, 4, section=0xFFF1),
        Sym("before", 0x7FF8, 16),
        Sym("beyond", 0x8030, 32),
        Sym("", 0x8000, 4),
    ],
    ids=lambda symbol: symbol.name or "nameless",
)
def test_symbols_that_are_no_place(symbol: Sym) -> None:
    assert read_map(make_linked([TEXT], [symbol])).symbols == ()


def test_of_several_names_the_global_one_stays() -> None:
    aliases = [Sym("b", 0x8001, 4), Sym("a", 0x8001, 4, binding=LOCAL), Sym("c", 0x8001, 4)]
    assert [symbol.name for symbol in read_map(make_linked([TEXT], aliases)).symbols] == ["b"]


def test_stripped_file_has_sections_only() -> None:
    found = read_map(make_linked([TEXT], []))
    assert (len(found.sections), found.symbols) == (1, ())


@layouts
def test_damaged_files_are_an_error_of_ours(bits: int, endian: str) -> None:
    """Cut off anywhere, and with each byte of headers and tables wrong."""
    elf = make_linked([TEXT, DATA], [Sym("main", 0x8001, 20)], bits, endian)
    body = elf.index(TEXT.content)
    after = body + 64 + 16
    damaged = [elf[:size] for size in range(0, len(elf), 3)]
    for place in (*range(body), *range(after, len(elf))):
        for value in (0, 0x7F, 0xFF):
            damaged.append(elf[:place] + bytes([value]) + elf[place + 1 :])
    refused = 0
    for data in damaged:
        try:
            found = read_map(data)
        except ElfError:
            refused += 1
        else:
            size = len(found.content)
            places = (*found.sections, *found.symbols)
            assert all(0 <= item.offset <= size - item.size for item in places)
    assert refused > len(damaged) // 10


def test_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    elf = make_linked([TEXT], [Sym("a", 0x8001, 4), Sym("b", 0x8009, 4)])
    assert READ_LIMITS.elf_symbols >= 100_000
    for limit in (ReadLimits(elf_symbols=2), ReadLimits(elf_sections=4)):
        monkeypatch.setattr("fotabuild.formats.elf_symbols.READ_LIMITS", limit)
        with pytest.raises(ElfError):
            read_map(elf)


def test_image_of_another_build() -> None:
    content = bytes(range(256)) * 64
    found = read_map(make_linked([Part(".text", 0, content)], []))
    found.check_image(content + b"appended")
    found.check_image(content[:-32] + bytes(32))  # A checksum that the build wrote into it.
    for other in (content[4:], content[: len(content) // 2], b"", bytes(len(content))):
        with pytest.raises(ElfError, match="not that of this file"):
            found.check_image(other)


@pytest.mark.cc
def test_agrees_with_nm_on_a_linked_file(tmp_path: Path) -> None:
    (tmp_path / "app.c").write_text(
        'int counter = 7;\nstatic const char text[] = "text";\n'
        "int twice(int x) { return 2 * x + counter; }\n"
        "int _start(void) { return twice(text[counter]); }\n",
        encoding="ascii",
    )
    flags = ["-O1", "-fno-inline", "-nostdlib", "-static", "-fno-pic", "-no-pie"]
    subprocess.run([*compiler(), *flags, "app.c", "-o", "app.elf"], cwd=tmp_path, check=True)
    elf = (tmp_path / "app.elf").read_bytes()
    found = {symbol.name: symbol for symbol in read_map(elf).symbols}
    assert {"counter", "twice", "_start"} <= set(found)
    base = flatten(elf).address
    counter = found["counter"]
    content = read_map(elf).content
    assert content[counter.offset : counter.offset + 4] == b"\7\0\0\0"
    if shutil.which("nm"):
        listing = subprocess.run(
            ["nm", "--print-size", "app.elf"], cwd=tmp_path, check=True, capture_output=True
        ).stdout.decode()
        lines = [line.split() for line in listing.splitlines() if len(line.split()) == 4]
        sizes = {name: (int(value, 16), int(size, 16)) for value, size, _, name in lines}
        for name in ("twice", "_start"):
            assert sizes[name] == (base + found[name].offset, found[name].size)
