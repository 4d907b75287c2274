"""Rounds of planning: first on a grid, then around the cuts found, part by part of the image."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from fotabuild.delta.effort import PlanSettings
from fotabuild.delta.parallel import run_all
from fotabuild.delta.segments import LARGEST_FRAME, Frame, Segment, merge_segments

if TYPE_CHECKING:
    from fotabuild.delta.search import Kernel

_GRID_OF = 1024
"""Block size from which on the grid of cuts grows with the block size."""
_PARTS = 8
_LEAST_PART = 32768
"""Into so many parts the work is divided, none of them of less bytes."""


class Plan(NamedTuple):
    """What a round gave.

    Attributes:
        frames: cover the new image.
        price: bytes of the patch without its header, before blocks are coded as well as possible.
    """

    frames: list[Frame]
    price: int


def plan_frames(
    kernel: Kernel,
    segments: list[Segment],
    sizes: tuple[int, int],
    block_size: int,
    settings: PlanSettings,
    start: Iterable[Frame],
) -> Iterator[Plan]:
    """Yield a plan for each round, most often a better one than before.

    Args:
        kernel: what does the hot parts.
        segments: where the new image resembles the old one.
        sizes: bytes of the old and of the new image.
        block_size: frame bound in bytes.
        settings: what to look at.
        start: frames whose cuts are tried, too.
    """
    new_size = sizes[1]
    planned = list(start)
    grid = settings.grid * max(_GRID_OF, min(block_size, LARGEST_FRAME)) // _GRID_OF
    bounds = chain.from_iterable(segment[:2] for segment in segments)
    places = chain(bounds, (frame.end for frame in planned))
    for distances in (None, *settings.rounds):
        if distances is not None:
            places = chain(frame.end + distance for frame in planned for distance in distances)
            segments = used_segments(planned, sizes, settings.margin)
            grid = new_size
        nodes = _sorted_nodes(places, new_size, grid)
        parts = list(_divide(nodes, planned))
        plans = run_all(
            [
                partial(kernel.plan, segments, part, block_size, settings, position)
                for part, position in parts
            ],
            at_once=kernel.compiled,
        )
        planned = [frame for frames, _ in plans for frame in frames]
        yield Plan(planned, sum(price for _, price in plans))


def used_segments(planned: Iterable[Frame], sizes: tuple[int, int], margin: int) -> list[Segment]:
    """Return the segments that frames lie in, with ``margin`` more bytes at their ends."""
    old_size, new_size = sizes
    return merge_segments(
        Segment(
            max(begin - margin, -shift, 0),
            min(end + margin, old_size - shift, new_size),
            shift,
        )
        for begin, end, shift in planned
        if shift is not None
    )


def _divide(nodes: array[int], planned: Iterable[Frame]) -> Iterator[tuple[array[int], int]]:
    """Yield parts of the image that are planned on their own, by their nodes.

    They meet where frames of an earlier plan do; with each comes the place in the old image that
    this plan was at. How many there are depends on the image only, so a patch is the same on every
    machine.
    """
    first = position = place = 0
    size = nodes[-1] // min(_PARTS, max(1, nodes[-1] // _LEAST_PART))
    for _, end, shift in planned:
        place = place if shift is None else end + shift
        if nodes[first] + size <= end <= nodes[-1] - size // 2:
            node = bisect_left(nodes, end)
            yield nodes[first : node + 1], position
            first, position = node, place
    yield nodes[first:], position


def _sorted_nodes(places: Iterable[int], new_size: int, grid: int) -> array[int]:
    """Return the places inside the image, those of a grid, and the ends of the image."""
    marks = bytearray(new_size + 1)  # A set of numbers would need much memory.
    for place in places:
        if 0 < place < new_size:
            marks[place] = 1
    marks[::grid] = b"\1" * (new_size // grid + 1)
    marks[new_size] = 1
    nodes = array("i")
    place = 0
    while place >= 0:
        nodes.append(place)
        place = marks.find(1, place + 1)
    return nodes
