"""From two images to frames: one function for each step of effort."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from itertools import chain, compress
from typing import Protocol

from fotabuild.delta import frames, native_kernel
from fotabuild.delta.bytewise import subtract
from fotabuild.delta.effort import CandidateSettings, PlanSettings
from fotabuild.delta.padding import Shortened, find_cuts, restore
from fotabuild.delta.segments import LARGEST_FRAME, Frame, Piece, Segment
from fotabuild.delta.writer import PackedFrame
from fotabuild.errors import DeltaError

_FINAL_DEPTH = 64
_GRID_OF = 1024
"""Block size from which on the grid of cuts grows with the block size."""


class Kernel(Protocol):
    """The hot parts of the work on a pair of images, in Python or in C.

    Attributes:
        compiled: whether it is the one in C.
    """

    compiled: bool

    def match(self) -> list[Piece]:
        """Return the pieces that bsdiff finds."""

    def find_segments(self, hints: list[Segment], settings: CandidateSettings) -> list[Segment]:
        """Return where the new image resembles the old one, sorted."""

    def plan(
        self,
        segments: list[Segment],
        nodes: array[int],
        block_size: int,
        settings: PlanSettings,
    ) -> tuple[list[Frame], int]:
        """Return the cheapest frames that end at ``nodes``, and their price."""

    def block(self, frame: Frame, depth: int) -> bytes:
        """Return the frame as an LZ4 block."""


def open_kernel(old: bytes, new: bytes) -> Kernel:
    """Return what does the hot parts."""
    if native_kernel.usable_for(old, new):
        return native_kernel.NativeKernel(old, new)
    from fotabuild.delta.python_kernel import PythonKernel  # Most installations need it never.

    return PythonKernel(old, new)


def match_pieces(old: bytes, new: bytes, kernel: Kernel) -> list[Piece]:
    """Return bsdiff's pieces; padding is shortened on the way if there is much."""
    cuts = find_cuts(old), find_cuts(new)
    if not any(cuts):
        return kernel.match()
    short_old, short_new = Shortened(old, cuts[0]), Shortened(new, cuts[1])
    pieces = open_kernel(short_old.data, short_new.data).match()
    return restore(pieces, old, new, short_old, short_new)


def fill_frames(
    old: bytes, new: bytes, pieces: Iterable[Piece], block_size: int
) -> Iterator[PackedFrame]:
    """Cut pieces and what is between them into frames as full as possible."""
    done = 0
    for new_at, old_at, size in (*pieces, Piece(len(new), 0, 0)):
        for shift, begin, data in (
            (None, done, new[done:new_at]),
            (
                old_at - new_at,
                new_at,
                subtract(new[new_at : new_at + size], old[old_at : old_at + size]),
            ),
        ):
            at = begin
            for length, block in frames.pack(data, block_size):
                yield PackedFrame(Frame(at, at + length, shift), block)
                at += length
        done = new_at + size


def plan_frames(
    kernel: Kernel,
    segments: list[Segment],
    new_size: int,
    block_size: int,
    settings: PlanSettings,
    start: Iterable[Frame],
) -> Iterator[list[Frame]]:
    """Yield better and better plans.

    Args:
        kernel: what does the hot parts.
        segments: where the new image resembles the old one.
        new_size: bytes of the new image.
        block_size: frame bound in bytes.
        settings: what to look at.
        start: frames whose cuts are tried, too.
    """
    grid = settings.grid * max(_GRID_OF, min(block_size, LARGEST_FRAME)) // _GRID_OF
    bounds = chain.from_iterable(segment[:2] for segment in segments)
    nodes = chain(range(0, new_size, grid), bounds, (frame.end for frame in start))
    planned, _ = kernel.plan(segments, _sorted_nodes(nodes, new_size), block_size, settings)
    yield planned
    for distances in settings.rounds:
        around = (frame.end + distance for frame in planned for distance in distances)
        planned, _ = kernel.plan(segments, _sorted_nodes(around, new_size), block_size, settings)
        yield planned


def _sorted_nodes(places: Iterable[int], new_size: int) -> array[int]:
    """Return the places inside the image and its ends; a set of numbers would need much memory."""
    marks = bytearray(new_size + 1)
    for place in places:
        if 0 < place < new_size:
            marks[place] = 1
    marks[0] = marks[new_size] = 1
    return array("i", compress(range(new_size + 1), marks))


def pack_frames(kernel: Kernel, planned: list[Frame], block_size: int) -> Iterator[PackedFrame]:
    """Compress planned frames."""
    for frame in planned:
        block = kernel.block(frame, _FINAL_DEPTH)
        if len(block) > block_size:
            raise DeltaError(
                f"a planned frame needs {len(block)} bytes", remedy="report this defect"
            )
        yield PackedFrame(frame, block)


def check_plan(old: bytes, new: bytes, planned: Iterable[Frame]) -> None:
    """Check that frames cover the new image exactly and read inside the old one.

    Raises:
        DeltaError: they do not: a defect of the search.
    """
    done = 0
    for begin, end, shift in planned:
        inside = shift is None or 0 <= begin + shift <= end + shift <= len(old)
        if begin != done or end <= begin or not inside:
            raise DeltaError(
                f"the plan is wrong at byte {begin} of the new image", remedy="report this defect"
            )
        done = end
    if done != len(new):
        raise DeltaError(
            f"the plan ends at byte {done} of the new image", remedy="report this defect"
        )
