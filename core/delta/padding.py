"""Long runs of a repeated pattern are shortened before bsdiff sorts an image.

Its sort takes minutes for some megabytes of zeros, and nothing is to be found in there.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import accumulate, pairwise
from typing import NamedTuple

from fotabuild.delta.segments import Piece

_PERIOD = 8  # Patterns of 1, 2, 4 and 8 bytes.
_STEP = 512
_LEAST_RUN = 1024
_KEPT = 64
_WORTHWHILE = 128 * 1024


class Cut(NamedTuple):
    """Bytes that are left out.

    Attributes:
        start: the first of them.
        size: how many, a multiple of the pattern's length.
    """

    start: int
    size: int


class Shortened:
    """An image without the middle of its runs.

    Attributes:
        data: what is left of the image.
    """

    def __init__(self, image: bytes, cuts: list[Cut]) -> None:
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
    cuts: list[Cut] = []
    at = 0
    while at + _STEP + _PERIOD <= len(image):
        if image[at : at + _STEP] != image[at + _PERIOD : at + _PERIOD + _STEP]:
            at += _STEP
            continue
        end = at + _PERIOD + common_length(image, at, image, at + _PERIOD)
        floor = cuts[-1].start + cuts[-1].size + _KEPT if cuts else 0
        while at > floor and image[at - 1] == image[at - 1 + _PERIOD]:
            at -= 1
        if end - at >= _LEAST_RUN:
            cuts.append(Cut(at + _KEPT // 2, (end - at - _KEPT) // _PERIOD * _PERIOD))
        at = end
    return cuts if sum(cut.size for cut in cuts) >= _WORTHWHILE else []


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


def restore(
    pieces: list[Piece], old: bytes, new: bytes, short_old: Shortened, short_new: Shortened
) -> list[Piece]:
    """Turn pieces of the shortened images into pieces of the whole ones."""
    restored: list[Piece] = []
    for new_at, old_at, size in pieces:
        splits = {0, size, *short_new.places(new_at, size), *short_old.places(old_at, size)}
        bounds = sorted(splits)
        for begin, end in pairwise(bounds):
            piece = Piece(
                short_new.original(new_at + begin), short_old.original(old_at + begin), end - begin
            )
            _append(restored, piece, old, new)
    if restored:
        restored[-1] = _prolonged(restored[-1], len(new), old, new)
    return restored


def _append(pieces: list[Piece], piece: Piece, old: bytes, new: bytes) -> None:
    """Let the last piece go on through what was left out, then add the next one."""
    if pieces:
        last = pieces[-1] = _prolonged(pieces[-1], piece.new_at, old, new)
        if (last.new_at + last.size, last.old_at + last.size) == (piece.new_at, piece.old_at):
            pieces[-1] = Piece(last.new_at, last.old_at, last.size + piece.size)
            return
    pieces.append(piece)


def _prolonged(piece: Piece, limit: int, old: bytes, new: bytes) -> Piece:
    new_at, old_at, size = piece
    more = common_length(old, old_at + size, new, new_at + size)
    return Piece(new_at, old_at, size + min(more, limit - new_at - size))
