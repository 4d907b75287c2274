"""Runs are shortened for the search; the pieces found then describe the whole images."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.delta.padding import Cut, Shortened, common_length, find_cuts
from fotabuild.delta.records import match
from fotabuild.delta.restoring import restore
from fotabuild.delta.segments import Piece

from ..formats.golden import firmware
from ..formats.strategies import QUICK
from .images import noise

CODE = firmware("fw-1.0.0")


@pytest.mark.parametrize(
    "pattern", [b"\0", b"\xff", b"ab", b"abc", b"12345678", noise(48), noise(49), noise(1000)]
)
def test_run_is_found_wherever_it_begins(pattern: bytes) -> None:
    run = pattern * (160_000 // len(pattern))
    for offset in (0, 1, 511, 512, 700):
        image = CODE[:offset] + run + CODE
        (cut,) = find_cuts(image)
        assert cut.period == len(pattern)
        assert 159_000 - 12 * len(pattern) < cut.size < 160_000
        assert cut.size % 8 == cut.size % len(pattern) == 0
        assert offset <= cut.start <= cut.start + cut.size <= offset + len(run)
        short = Shortened(image, [cut])
        assert len(short.data) == len(image) - cut.size
        for place in (0, cut.start - 1, cut.start, cut.start + 1, len(short.data) - 1):
            assert short.data[place] == image[short.original(place)]


@pytest.mark.parametrize("period", [1025, 1500, 2048, 4095, 4096, 1 << 14])
@pytest.mark.parametrize("offset", [0, 1, 700, 40_000])
def test_long_run_of_equal_pages_is_found(period: int, offset: int) -> None:
    """Their places are a multiple of the step apart, or not."""
    run = noise(period) * (600_000 // period)
    (cut,) = find_cuts(noise(offset, 2) + run + noise(3000, 3))
    assert cut.period == period
    assert len(run) - 11 * period - 1000 < cut.size < len(run)
    assert cut.size % 8 == cut.size % period == 0
    assert offset <= cut.start <= cut.start + cut.size <= offset + len(run)


@pytest.mark.parametrize("filled", [400, 3000])
@pytest.mark.parametrize("page", [2048, 4096])
def test_pages_that_end_with_padding(page: int, filled: int) -> None:
    """A short run in each of them hides none of what they are together."""
    padding = b"\xff" * min(filled, page - 500)
    image = CODE[:5000] + (noise(page - len(padding)) + padding) * (1_000_000 // page)
    cuts = find_cuts(image)
    assert max(cut.size for cut in cuts) > 850_000
    assert {cut.period for cut in cuts} <= {1, page}


def test_a_few_equal_pages_are_left_alone() -> None:
    """They cost the search little, and what is between them is looked at."""
    pages = noise(4096) * 8
    image = pages + noise(3000, 2) + bytes(200_000) + pages
    assert [cut.period for cut in find_cuts(image)] == [1]


def test_little_padding_is_left_alone() -> None:
    assert find_cuts(CODE + bytes(60_000)) == []
    assert find_cuts(noise(100_000)) == []
    assert find_cuts(noise(20_000) * 20) == []
    assert find_cuts(b"") == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (CODE + bytes(250_000) + CODE[:5000], CODE + bytes(250_000) + CODE[:5000]),
        (CODE + bytes(250_000) + CODE[:5000], CODE + bytes(230_000) + CODE[:5000]),
        (CODE + bytes(230_000) + CODE[:5000], CODE + bytes(250_001) + CODE[:5000]),
        (CODE + b"\xff" * 250_000, b"\xff" * 250_000 + CODE),
        (bytes(200_000), bytes(100_000) + b"x" + bytes(99_999)),
        (b"ab" * 100_000, b"ba" * 100_000),
        (bytes(270_000), CODE),
        (noise(1500) * 200 + CODE, CODE + noise(1500)[300:] + noise(1500) * 300 + CODE),
        (noise(4096) * 100 + CODE, noise(4096) * 50 + CODE[:9000] + noise(4096) * 60 + CODE),
        (noise(999) * 200 + CODE, CODE + noise(999)[300:] + noise(999) * 400 + CODE),
        (b"abc" * 50_000 + CODE + noise(49) * 3000, noise(49) * 4000 + CODE + b"cab" * 60_000),
    ],
)
def test_restored_pieces_fit_the_whole_images(old: bytes, new: bytes) -> None:
    short_old, short_new = Shortened(old, find_cuts(old)), Shortened(new, find_cuts(new))
    pieces = restore(match(short_old.data, short_new.data), short_old, short_new)
    done = equal = 0
    for new_at, old_at, size in pieces:
        assert size > 0
        assert done <= new_at <= new_at + size <= len(new)
        assert 0 <= old_at <= old_at + size <= len(old)
        equal += sum(
            one == two
            for one, two in zip(
                new[new_at : new_at + size], old[old_at : old_at + size], strict=True
            )
        )
        done = new_at + size
    if old == new:
        assert pieces == [Piece(0, 0, len(new))]
    elif old.startswith(CODE) and new.startswith(CODE):
        # All but what the longer run has more is found.
        assert equal > len(new) - 21_000
    elif any(cut.period > 1 for cut in short_old.cuts):
        # What the new image has more of a pattern is made from the old one, too.
        assert equal > len(new) - 5000


@QUICK
@given(st.binary(max_size=30), st.integers(0, 300), st.binary(max_size=300))
def test_common_length(prefix: bytes, count: int, tail: bytes) -> None:
    one, two = prefix * 9 + bytes(count), prefix * 9 + bytes(count) + tail
    length = common_length(one, 0, two, 0)
    assert one[:length] == two[:length]
    assert length == min(len(one), len(two)) or one[length] != two[length]


def test_places_of_cuts() -> None:
    short = Shortened(bytes(1000), [Cut(100, 80, 1), Cut(500, 160, 2)])
    assert len(short.data) == 760
    assert short.places(0, 760) == [100, 420]
    assert short.places(100, 320) == []
    assert short.places(99, 322) == [1, 321]
    assert [short.original(place) for place in (99, 100, 419, 420)] == [99, 180, 499, 660]
