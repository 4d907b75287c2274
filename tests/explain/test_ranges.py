"""Sections and symbols cut an image without gaps, however they lie in each other."""

from __future__ import annotations

import random
import time

import pytest

from fotabuild.delta.encoder import make_patch
from fotabuild.explain.explanation import explain
from fotabuild.explain.ranges import Range, section_ranges, symbol_ranges
from fotabuild.formats.elf_symbols import ElfMap, ElfRange
from fotabuild.formats.patch_stream import HEADER_SIZE

from ..delta.images import noise


def _map(sections: list[ElfRange], symbols: list[ElfRange]) -> ElfMap:
    return ElfMap(b"", tuple(sections), tuple(symbols))


def _plain(ranges: list[Range]) -> list[tuple[str, int, int]]:
    return [(item.name, item.start, item.end) for item in ranges]


def test_gaps_are_named_by_section() -> None:
    found = _map([ElfRange(".text", 10, 50)], [ElfRange("f", 20, 10), ElfRange("g", 70, 10)])
    assert _plain(section_ranges(100, found)) == [
        ("(in no section)", 0, 10),
        (".text", 10, 60),
        ("(in no section)", 60, 100),
    ]
    assert _plain(symbol_ranges(100, found)) == [
        ("(in no section)", 0, 10),
        ("(.text, no symbol)", 10, 20),
        ("f", 20, 30),
        ("(.text, no symbol)", 30, 60),
        ("(in no section)", 60, 70),
        ("g", 70, 80),
        ("(in no section)", 80, 100),
    ]


def test_a_symbol_ends_with_its_section() -> None:
    """The second section cuts the first one short; 320 bytes stay 320 bytes."""
    found = _map(
        [ElfRange(".a", 0, 200), ElfRange(".b", 100, 220)],
        [ElfRange("long", 0, 200), ElfRange("beyond", 300, 500)],
    )
    assert _plain(section_ranges(320, found)) == [(".a", 0, 100), (".b", 100, 320)]
    assert _plain(symbol_ranges(320, found)) == [
        ("long", 0, 100),
        ("(.b, no symbol)", 100, 300),
        ("beyond", 300, 320),
    ]
    patch = make_patch(noise(500, 8), noise(320, 9)).data
    explanation = explain(patch, 320, 512, new_map=found)
    assert sum(part.size for part in explanation.parts) == 320
    assert sum(part.total for part in explanation.parts) == pytest.approx(len(patch) - HEADER_SIZE)
    assert {part.name: part.size for part in explanation.parts} == {
        "long": 100,
        "(.b, no symbol)": 200,
        "beyond": 20,
    }


def test_what_lies_inside_another_is_cut_out_of_it() -> None:
    found = _map(
        [ElfRange(".text", 0, 100), ElfRange(".inside", 40, 20)],
        [
            ElfRange("outer", 10, 80),
            ElfRange("inner", 20, 10),
            ElfRange("innermost", 22, 2),
            ElfRange("late", 50, 30),
        ],
    )
    assert _plain(section_ranges(100, found)) == [
        (".text", 0, 40),
        (".inside", 40, 60),
        (".text", 60, 100),
    ]
    assert _plain(symbol_ranges(100, found)) == [
        ("(.text, no symbol)", 0, 10),
        ("outer", 10, 20),
        ("inner", 20, 22),
        ("innermost", 22, 24),
        ("inner", 24, 30),
        ("outer", 30, 40),
        ("(.inside, no symbol)", 40, 50),
        ("late", 50, 60),
        ("outer", 60, 90),
        ("(.text, no symbol)", 90, 100),
    ]


def test_pieces_of_one_symbol_are_one_part_and_keep_its_note() -> None:
    symbols = [ElfRange("outer", 0, 300), ElfRange("static", 100, 50), ElfRange("static", 200, 50)]
    found = _map([ElfRange(".text", 0, 300)], symbols)
    before = _map([ElfRange(".text", 0, 300)], [ElfRange("outer", 0, 250)])
    patch = make_patch(noise(300, 8), noise(300, 9)).data
    parts = explain(patch, 300, 512, new_map=found, old_map=before).parts
    assert sorted((part.name, part.offset, part.size, part.note) for part in parts) == [
        ("outer", 0, 200, "+50 bytes"),
        ("static", 100, 50, "new"),
        ("static", 200, 50, "new"),
    ]


def _innermost(size: int, found: ElfMap) -> list[str]:
    """Return each byte's name, by painting over: the slow rule that the sweep must follow."""
    begins = [(s.offset, 0, -s.size, s) for s in found.sections]
    begins += [(s.offset, 1, -s.size, s) for s in found.symbols]
    begins.sort(key=lambda item: item[:3])
    names = ["(in no section)"] * size
    limits = [size] * size
    for at, is_symbol, _, item in begins:
        if at >= size:
            continue
        end = min(at + item.size, size)
        if is_symbol:
            end = min(end, limits[at])
        for place in range(at, end):
            names[place] = item.name if is_symbol else f"({item.name}, no symbol)"
            if not is_symbol:
                limits[place] = end
    return names


@pytest.mark.parametrize("seed", range(60))
def test_every_byte_belongs_to_what_began_last(seed: int) -> None:
    rng = random.Random(seed)
    size = rng.randrange(1, 200)

    def some(letter: str, count: int) -> list[ElfRange]:
        return [
            ElfRange(f"{letter}{i}", rng.randrange(size + 20), rng.randrange(1, 60))
            for i in range(count)
        ]

    found = _map(some("s", rng.randrange(8)), some("f", rng.randrange(30)))
    ranges = symbol_ranges(size, found)
    names = [item.name for item in ranges for _ in range(item.start, item.end)]
    assert [item.start for item in ranges] == [0, *(item.end for item in ranges)][:-1]
    assert all(item.start < item.end for item in ranges)
    assert names == _innermost(size, found)


def test_time_grows_with_the_number_of_symbols_only() -> None:
    """Twenty times as many sections cost no more than the few do; they once multiplied."""

    def seconds(sections: int) -> float:
        step = 64000 // sections
        found = _map(
            [ElfRange(f".s{i}", i * step, step) for i in range(sections)],
            [ElfRange(f"f{i}", 2 * i, 2) for i in range(32000)],
        )
        begun = time.process_time()
        assert len(symbol_ranges(64000, found)) == 32000
        return time.process_time() - begun

    few = min(seconds(200) for _ in range(3))
    many = min(seconds(4000) for _ in range(3))
    assert many < 5 * few
