"""From two images to frames: one function for each step of effort."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from functools import partial
from itertools import chain
from typing import Protocol

from fotabuild.delta import native_kernel
from fotabuild.delta.deadline import NO_DEADLINE, Deadline
from fotabuild.delta.effort import CandidateSettings, PlanSettings
from fotabuild.delta.padding import Shortened, find_cuts
from fotabuild.delta.parallel import run_all
from fotabuild.delta.restoring import restore
from fotabuild.delta.segments import Frame, Piece, Segment
from fotabuild.delta.writer import PackedFrame
from fotabuild.errors import DeltaError

_FINAL_DEPTH = 64
_SHARES = 8


class Kernel(Protocol):
    """The hot parts of the work on a pair of images, in Python or in C.

    Those that may take long raise :class:`~fotabuild.delta.deadline.TimeUpError` at the deadline.

    Attributes:
        compiled: whether it is the one in C.
    """

    compiled: bool

    @property
    def suffixes(self) -> array[int]:
        """The starts of all suffixes of the old image, in the order of the suffixes."""

    def match(self) -> list[Piece]:
        """Return the pieces that bsdiff finds."""

    def fill(self, pieces: list[Piece], block_size: int) -> list[PackedFrame]:
        """Return pieces and what is between them in frames as full as possible."""

    def find_segments(self, settings: CandidateSettings) -> list[Segment]:
        """Return where the new image resembles the old one, sorted."""

    def plan(
        self,
        segments: list[Segment],
        nodes: array[int],
        block_size: int,
        settings: PlanSettings,
        position: int = 0,
    ) -> tuple[list[Frame], int]:
        """Return the cheapest frames that end at ``nodes``, and their price.

        ``position`` is the place in the old image where a diff at the first node would go on.
        """

    def blocks(self, frames: list[Frame], depth: int) -> list[bytes]:
        """Return the frames as LZ4 blocks."""


def open_kernel(
    old: bytes,
    new: bytes,
    suffixes: array[int] | None = None,
    deadline: Deadline = NO_DEADLINE,
) -> Kernel:
    """Return what does the hot parts.

    Args:
        old: the old image.
        new: the new image.
        suffixes: of the old image; they save time if they are known.
        deadline: when to give up what may take long; pieces are always found.
    """
    if native_kernel.usable_for(old, new):
        return native_kernel.NativeKernel(old, new, suffixes, deadline)
    from fotabuild.delta.python_kernel import PythonKernel  # Most installations need it never.

    return PythonKernel(old, new, suffixes, deadline)


def match_pieces(old: bytes, new: bytes, kernel: Kernel) -> list[Piece]:
    """Return bsdiff's pieces; long repetitions are shortened on the way."""
    cuts = find_cuts(old), find_cuts(new)
    if not any(cuts):
        return kernel.match()
    short_old, short_new = Shortened(old, cuts[0]), Shortened(new, cuts[1])
    suffixes = kernel.suffixes if kernel.compiled and not cuts[0] else None
    pieces = open_kernel(short_old.data, short_new.data, suffixes).match()
    return restore(pieces, short_old, short_new)


def pack_frames(kernel: Kernel, planned: list[Frame], block_size: int) -> Iterator[PackedFrame]:
    """Compress planned frames."""
    share = len(planned) // _SHARES + 1
    blocks = run_all(
        [
            partial(kernel.blocks, planned[first : first + share], _FINAL_DEPTH)
            for first in range(0, len(planned), share)
        ],
        at_once=kernel.compiled,
    )
    for frame, block in zip(planned, chain.from_iterable(blocks), strict=True):
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
