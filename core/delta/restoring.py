"""Pieces of shortened images become pieces of the whole ones."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from fotabuild.delta.padding import Cut, Shortened, common_length
from fotabuild.delta.segments import Piece

_LEAST_FILLED = 4096
_SOURCES = 8
_ANCHOR = 16


def restore(pieces: list[Piece], old: Shortened, new: Shortened) -> list[Piece]:
    """Turn pieces of shortened images into pieces of the whole ones."""
    restored: list[Piece] = []
    for new_at, old_at, size in pieces:
        splits = {0, size, *new.places(new_at, size), *old.places(old_at, size)}
        for begin, end in pairwise(sorted(splits)):
            start = new.original(new_at + begin), old.original(old_at + begin)
            _append(restored, Piece(*start, end - begin), old.image, new.image)
    if restored:
        restored[-1] = _prolonged(restored[-1], len(new.image), old.image, new.image)
    return list(_filled(restored, old, new))


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


def _filled(pieces: list[Piece], old: Shortened, new: Shortened) -> Iterator[Piece]:
    """Yield the pieces, and others for what would be inserted though it is an old pattern."""
    done = 0
    cuts = iter([*new.cuts, Cut(len(new.image), 0, 1)])
    cut = next(cuts)
    for piece in (*pieces, Piece(len(new.image), 0, 0)):
        while cut.start + cut.size <= done and cut.size:
            cut = next(cuts)
        while cut.start < piece.new_at:
            yield from _made_of_runs(cut, max(done, cut.start), piece.new_at, old, new.image)
            if cut.start + cut.size > piece.new_at:
                break
            cut = next(cuts)
        if piece.size:
            yield piece
        done = piece.new_at + piece.size


def _made_of_runs(cut: Cut, begin: int, limit: int, old: Shortened, new: bytes) -> Iterator[Piece]:
    """Yield pieces for a part of a run, from runs of the same pattern in the old image."""
    if cut.period == 1:  # As cheap when it is inserted.
        return
    end = min(cut.start + cut.size, limit)
    same = (source for source in old.cuts if source.period == cut.period)
    sources = sorted(same, key=lambda source: -source.size)[:_SOURCES]
    while end - begin >= _LEAST_FILLED:
        anchor = new[begin : begin + cut.period + _ANCHOR]
        for start, _, period in sources:
            place = old.image.find(anchor, start, start + 2 * period + _ANCHOR)
            if place >= 0:
                break
        else:
            return
        size = min(common_length(old.image, place, new, begin), end - begin)
        if size < _LEAST_FILLED:
            return
        yield Piece(begin, place, size)
        begin += size
