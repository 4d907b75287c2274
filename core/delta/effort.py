"""How hard the encoder looks for a smaller patch."""

from __future__ import annotations

from enum import Enum
from typing import NamedTuple


class Effort(Enum):
    """Steps of effort; each keeps the smallest patch of itself and those below it.

    Attributes:
        FAST: bsdiff's records, each frame compressed as well as LZ4 can.
        BALANCED: records and frame cuts chosen together by their exact price.
        BEST: more candidates, a finer grid of cuts, more rounds.
        MAX: without regard to time.
    """

    FAST = "fast"
    BALANCED = "balanced"
    BEST = "best"
    MAX = "max"

    def steps(self) -> tuple[Effort, ...]:
        """Return this effort and all below it, cheapest first."""
        members = tuple(Effort)
        return members[: members.index(self) + 1]


class CandidateSettings(NamedTuple):
    """Which places of the old image are looked at.

    Attributes:
        neighbours: suffixes of the old image to look at on both sides of each place.
        least_match: equal bytes from which on a place in the old image is looked at.
        least_score: equal bytes less different ones that a segment has.
        margin: segments of one shift that are so near become one.
        drop: how far the score may sink before a segment ends.
        lanes: segments that are kept at each place for their equal bytes there.
        wide_lanes: segments that are kept for their equal bytes around there.
        widen: bytes that are added to them at both ends.
    """

    neighbours: int = 1
    least_match: int = 6
    least_score: int = 10
    margin: int = 64
    drop: int = 32
    lanes: int = 2
    wide_lanes: int = 1
    widen: int = 128


class PlanSettings(NamedTuple):
    """Which ways through the new image are looked at.

    Attributes:
        depth: earlier places to look at for each LZ4 match.
        slack: bytes by which a way may be dearer than the best for a while.
        gain: bytes by which a way must be cheaper than the same a bit further on.
        settled: so many equal bytes ahead let all other ways rest; 0 for never.
        promise: of the eight bytes where a diff begins, so many are equal.
        grid: bytes between the places where a frame may end, in the first round.
        rounds: distances from the cuts of the last round to try in the next.
        margin: bytes around the frames of the last round where the next may use their segments.
    """

    depth: int
    slack: int
    gain: int
    settled: int
    promise: int
    grid: int
    rounds: tuple[tuple[int, ...], ...]
    margin: int = 16


def _both_ways(*distances: int) -> tuple[int, ...]:
    return tuple(sorted({0, *distances, *(-distance for distance in distances)}))


_FEW = CandidateSettings()
_MANY = CandidateSettings(least_match=5, least_score=6, lanes=3, wide_lanes=2, widen=200)
_WIDE = _both_ways(1, 2, 3, 4, 6, 8, 12, 16)

SETTINGS = {
    Effort.BALANCED: (_FEW, PlanSettings(4, 12, 1, 8, 4, 32, (_both_ways(4, 8, 16),))),
    Effort.BEST: (
        _FEW,
        PlanSettings(4, 22, 0, 16, 3, 8, (_both_ways(4, 8, 12, 20), _both_ways(1, 2))),
    ),
    Effort.MAX: (_MANY, PlanSettings(16, 40, 0, 0, 0, 4, (_WIDE, _WIDE, _WIDE), 128)),
}
"""What each effort above ``FAST`` looks at, found by measuring on real pairs of firmware."""
