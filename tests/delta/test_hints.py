"""Symbols of both images are hints: they help, and wrong ones do no harm."""

from __future__ import annotations

import random
import struct

from fotabuild.delta.decoder import apply_patch_python
from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.hints import ImageHints, Symbol, hinted_segments
from fotabuild.delta.segments import Segment

from .images import PAIRS


def test_symbols_of_the_same_name_are_hints() -> None:
    hints = ImageHints(
        (Symbol("main", 100, 50), Symbol("local", 10, 4), Symbol("local", 20, 4)),
        (
            Symbol("local", 300, 4),
            Symbol("main", 90, 60),
            Symbol("local", 30, 4),
            Symbol("new", 0, 9),
            Symbol("local", 400, 4),
        ),
    )
    image = bytes(1000)
    assert hinted_segments(hints, image, image) == [
        Segment(30, 34, -20),
        Segment(90, 150, 10),
        Segment(300, 304, -280),
    ]
    assert hinted_segments(None, image, image) == []
    assert hinted_segments(hints, bytes(12), image) == [Segment(30, 32, -20)]
    assert hinted_segments(hints, image, bytes(92)) == [Segment(30, 34, -20), Segment(90, 92, 10)]


def test_wrong_hints_do_no_harm() -> None:
    old, new = PAIRS["growing"]
    wrong = [(-5, 9), (len(new) - 2, 9), (len(new), 9), (0, 10 * len(new)), (7, 0)]
    places = [*wrong, *((at, 10) for at in range(0, len(new), 50))]
    symbols = tuple(Symbol(f"{index}", at, size) for index, (at, size) in enumerate(places))
    back = tuple(Symbol(f"{len(places) - 1 - i}", at, n) for i, (at, n) in enumerate(places))
    patch = make_patch(old, new, hints=ImageHints(symbols, back)).data
    assert apply_patch_python(old, patch) == new
    assert len(patch) <= len(make_patch(old, new, effort=Effort.FAST).data)


def test_symbols_that_overlap_are_one_hint_at_each_place() -> None:
    symbols = tuple(Symbol(f"{at}", at, 5000) for at in range(4000))
    moved = tuple(Symbol(symbol.name, symbol.offset * 2, 5000) for symbol in symbols)
    segments = hinted_segments(ImageHints(moved, symbols), bytes(20000), bytes(9000))
    assert segments == [Segment(0, 5000, 0)]


def test_a_table_whose_addresses_all_moved_is_found_through_its_symbol() -> None:
    rng = random.Random(7)
    code = rng.randbytes(6000)
    entries = [0x08000000 + rng.randrange(0x10000) for _ in range(400)]
    old, new = (
        code + struct.pack("<400I", *(entry + moved for entry in entries)) for moved in (0, 0x12340)
    )
    new = rng.randbytes(300) + new
    hints = ImageHints((Symbol("table", 6000, 1600),), (Symbol("table", 6300, 1600),))
    without, with_hints = (len(make_patch(old, new, hints=h).data) for h in (None, hints))
    assert with_hints < 0.8 * without
