"""Long runs of a repeated pattern are shortened before bsdiff looks at an image.

Its search compares them with themselves from every place on: it takes minutes for a megabyte of
zeros, and nothing is to be found in there.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from itertools import accumulate
from typing import NamedTuple

_SHORT_PERIOD = 1024
# Longer patterns are pages of a Flash memory that are the same. Few of one cost the search little,
# so that few places are looked at, an odd multiple of the step apart: pages are powers of two.
_LONG_PERIOD = 1 << 14
_LONG_STEP = 127 * 512
_LEAST_PERIODS = 10  # Behind the first: three are kept, up to eight make a unit.
_ANCHOR = 16  # Bytes that come again where there is a pattern.
_STEP = 512
_LEAST_RUN = 1024
_KEPT = 64
_KEPT_PERIODS = 3
_UNIT = 8  # What is left out is a multiple of this, so that words stay words.
_WORTHWHILE = 2**32  # Bytes times bytes, a tenth of a second: the search takes their product.


class Cut(NamedTuple):
    """Bytes that are left out.

    Attributes:
        start: the first of them.
        size: how many, a multiple of the pattern's length.
        period: the pattern's length.
    """

    start: int
    size: int
    period: int


class Shortened:
    """An image without the middle of its runs.

    Attributes:
        image: the whole image.
        cuts: what is left out.
        data: what is left.
    """

    def __init__(self, image: bytes, cuts: list[Cut]) -> None:
        self.image = image
        self.cuts = cuts
        self._removed = [0, *accumulate(cut.size for cut in cuts)]
        # Where the cuts are in the shortened image.
        self._places = [
            cut.start - before for cut, before in zip(cuts, self._removed, strict=False)
        ]
        kept = bytearray()
        start = 0
        for cut in cuts:
            kept += image[start : cut.start]
            start = cut.start + cut.size
        self.data = bytes(kept + image[start:])

    def places(self, start: int, size: int) -> list[int]:
        """Return the cuts inside a stretch, counted from its beginning."""
        first = bisect_right(self._places, start)
        return [
            place - start for place in self._places[first : bisect_left(self._places, start + size)]
        ]

    def original(self, position: int) -> int:
        """Return where a byte of the shortened image is in the whole one."""
        return position + self._removed[bisect_right(self._places, position)]


def find_cuts(image: bytes) -> list[Cut]:
    """Return what to leave out of an image; nothing unless it is worth while."""
    if len(image) ** 2 < _WORTHWHILE:
        return []
    cuts: list[Cut] = []
    at = 0
    long_at = 0  # Where to look for a long period next.
    while at + _STEP <= len(image):
        anchor = image[at : at + _ANCHOR]
        reach = _LONG_PERIOD if at >= long_at else _SHORT_PERIOD
        again = image.find(anchor, at + 1, at + reach + _ANCHOR)
        equal = common_length(image, at, image, again) if again >= 0 else 0
        period = again - at
        least = _STEP if period <= _SHORT_PERIOD else _LEAST_PERIODS * period
        if reach == _LONG_PERIOD and not 0 < period <= _SHORT_PERIOD:
            long_at = at + _LONG_STEP
        if equal < least:
            at += _STEP
            continue
        end = again + equal
        kept = max(_KEPT, _KEPT_PERIODS * period)
        floor = cuts[-1].start + cuts[-1].size + _KEPT if cuts else 0
        while at > floor and image[at - 1] == image[at - 1 + period]:
            at -= 1
        unit = math.lcm(period, _UNIT)
        size = (end - at - kept) // unit * unit
        if end - at >= _LEAST_RUN and size > 0:
            cuts.append(Cut(at + kept // 2, size, period))
        at = end
    longest = max((cut.size for cut in cuts), default=0)
    return cuts if sum(cut.size for cut in cuts) * longest >= _WORTHWHILE else []


def common_length(one: bytes, one_at: int, two: bytes, two_at: int) -> int:
    """Return how many bytes are equal from two places on."""
    limit = min(len(one) - one_at, len(two) - two_at)
    length = 0
    step = 64
    while step:
        end = length + step
        if (
            end <= limit
            and one[one_at + length : one_at + end] == two[two_at + length : two_at + end]
        ):
            length = end
            step *= 2
        else:
            step //= 2
    return length
