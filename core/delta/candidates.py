"""Segments of the new image that resemble the old one (reference of ``kernel/candidates.c``)."""

from __future__ import annotations

from bisect import insort
from collections.abc import Iterator, Sequence
from itertools import pairwise

from fotabuild.delta.bytewise import subtract
from fotabuild.delta.deadline import NO_DEADLINE, Deadline
from fotabuild.delta.effort import CandidateSettings
from fotabuild.delta.segments import Segment

_LONG_MATCH = 32
_PLACES_AT_ONCE = 4096
_BLOCK = 32
_WALK = 256  # Bytes to look at in walks for each byte of the new image: a bound on repetition.
_LEAST_EQUAL = 3  # A segment needs more equal bytes in a block to be kept there.
_AROUND = 64  # Blocks on both sides that count as "around".
_BRIDGE = 8  # Blocks between two stretches of a segment that make them one; long ones reach
_BRIDGE_FACTOR = 2  # further.


class Finder:
    """Looks for segments through the suffix array of the old image."""

    def __init__(
        self,
        old: bytes,
        new: bytes,
        suffixes: Sequence[int],
        settings: CandidateSettings,
        deadline: Deadline = NO_DEADLINE,
    ) -> None:
        self._old = old
        self._new = new
        self._suffixes = suffixes
        self._settings = settings
        self._deadline = deadline
        self._segments: list[list[int]] = []  # Begin, end, shift, score.
        self._latest: dict[int, list[int]] = {}
        self._work = _WALK * len(new)

    def find(self) -> list[Segment]:
        """Return segments, sorted by beginning and shift."""
        length = 0
        for at in range(len(self._new) - 1):
            if at % _PLACES_AT_ONCE == 0:
                self._deadline.check()
            if length > _LONG_MATCH:
                length -= 1  # Inside a match that was found.
            else:
                length = self._try_neighbours(at)
        return self._choose()

    def _common(self, old_at: int, new_at: int) -> int:
        old, new = self._old, self._new
        limit = min(len(old) - old_at, len(new) - new_at)
        length = 0
        step = 8
        while step:  # Compare pieces, doubling while they are equal.
            if (
                length + step <= limit
                and old[old_at + length : old_at + length + step]
                == new[new_at + length : new_at + length + step]
            ):
                length += step
                step *= 2
            else:
                step //= 2
        return length

    def _insertion_point(self, at: int) -> int:
        """Return the index of the first suffix that is not smaller than the rest from ``at``."""
        old, new, suffixes = self._old, self._new, self._suffixes
        low, high = 0, len(suffixes)
        size = 32
        rest = new[at : at + size]
        while low < high:
            middle = (low + high) // 2
            start = suffixes[middle]
            piece = old[start : start + size]
            if piece == rest and len(piece) == size:
                length = self._common(start, at)
                piece = old[start + length : start + length + 1]
                less = piece < new[at + length : at + length + 1]
            else:
                less = piece < rest
            if less:
                low = middle + 1
            else:
                high = middle
        return low

    def _try_neighbours(self, at: int) -> int:
        """Try what the suffixes around ``at`` begin with; return the longest match."""
        settings = self._settings
        point = self._insertion_point(at)
        longest = 0
        for first, step in ((point - 1, -1), (point, 1)):
            for index in range(first, first + step * settings.neighbours, step):
                if not 0 <= index < len(self._suffixes):
                    break
                old_at = self._suffixes[index]
                length = self._common(old_at, at)
                # Without two equal bytes, the kernel's table of pairs ends the search earlier.
                if length < settings.least_match:
                    break
                longest = max(longest, length)
                if not (at and old_at and self._new[at - 1] == self._old[old_at - 1]):
                    self._try_match(at, old_at, length)
        return longest

    def _extend(self, at: int, shift: int, step: int, limit: int) -> tuple[int, int]:
        """Walk one way as long as equal bytes outweigh different ones; return end and score."""
        old, new = self._old, self._new
        floor = -self._settings.drop
        score = best = 0
        end = at
        while at != limit and score > best + floor and self._work > 0:
            here = at if step > 0 else at - 1
            score += 1 if new[here] == old[here + shift] else -1
            at += step
            self._work -= 1
            if score > best:
                best = score
                end = at
        return end, best

    def _try_match(self, new_at: int, old_at: int, length: int) -> None:
        shift = old_at - new_at
        last = self._latest.get(shift)
        if last is not None and new_at < last[1]:
            return
        floor = max(0, -shift, last[1] if last else 0)
        ceiling = min(len(self._old) - shift, len(self._new))
        begin, left = self._extend(new_at, shift, -1, floor)
        end, right = self._extend(new_at + length, shift, 1, ceiling)
        score = left + length + right
        if score < self._settings.least_score:
            return
        if last is not None and begin - last[1] <= self._settings.margin:
            last[1] = end
            last[3] += score
            return
        segment = [begin, end, shift, score]
        self._segments.append(segment)
        self._latest[shift] = segment

    def _choose(self) -> list[Segment]:
        """Keep the best few of each block, and widen them."""
        segments = sorted(self._segments, key=lambda s: (-s[3], s[0], s[2]))
        chosen: list[Segment] = []
        stretches: dict[int, tuple[int, int]] = {}
        for block, indices in enumerate(self._rank_blocks(segments)):
            for index in indices:
                first, last = stretches.get(index, (block, block))
                if block - last > _BRIDGE + _BRIDGE_FACTOR * (last - first):
                    chosen.append(self._widened(segments[index], first, last))
                    first = block
                stretches[index] = (first, block)
        for index, (first, last) in stretches.items():
            chosen.append(self._widened(segments[index], first, last))
        return sorted(chosen, key=lambda s: (s.begin, s.shift, s.end))

    def _rank_blocks(self, segments: list[list[int]]) -> Iterator[set[int]]:
        """Yield the best segments of each block, by their equal bytes there and around there."""
        old, new = self._old, self._new
        lanes, wide_lanes = self._settings.lanes, self._settings.wide_lanes
        ranks: list[list[tuple[int, int]]] = [[] for _ in range(len(new) // _BLOCK + 1)]
        wide: list[list[tuple[int, int]]] = [[] for _ in ranks]
        for index, (begin, end, shift, _) in enumerate(segments):
            same = subtract(new[begin:end], old[begin + shift : end + shift])
            first = begin // _BLOCK
            bounds = [begin, *range((first + 1) * _BLOCK, end, _BLOCK), end]
            equal = [same.count(0, at - begin, stop - begin) for at, stop in pairwise(bounds)]
            for block in range(len(equal)):
                around = equal[max(0, block - _AROUND) : block + 1 + _AROUND]
                _rank(ranks[first + block], lanes, index, equal[block])
                _rank(wide[first + block], wide_lanes, index, sum(around))
        for one, two in zip(ranks, wide, strict=True):
            yield {index for _, index in one + two}

    def _widened(self, segment: list[int], first: int, last: int) -> Segment:
        begin, end, shift, _ = segment
        widen = self._settings.widen
        return Segment(
            max(max(first * _BLOCK, begin) - widen, -shift, 0),
            min(min((last + 1) * _BLOCK, end) + widen, len(self._old) - shift, len(self._new)),
            shift,
        )


def _rank(ranks: list[tuple[int, int]], count: int, index: int, equal: int) -> None:
    """Take a segment among the best of a block; earlier ones win when equal."""
    if equal > _LEAST_EQUAL:
        insort(ranks, (-equal, index))
        del ranks[count:]
