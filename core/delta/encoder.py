"""The delta encoder: two images in, a patch out that was applied and compared before it leaves."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from fotabuild.delta.deadline import Deadline, TimeUpError
from fotabuild.delta.effort import SETTINGS, CandidateSettings, Effort
from fotabuild.delta.parallel import run_all
from fotabuild.delta.patch import Patch, PatchStats
from fotabuild.delta.replay import reproduces
from fotabuild.delta.search import (
    Kernel,
    check_plan,
    match_pieces,
    open_kernel,
    pack_frames,
)
from fotabuild.delta.segments import Segment, merge_segments
from fotabuild.delta.writer import PackedFrame, write_patch
from fotabuild.errors import DeltaError
from fotabuild.formats.patch_stream import MAX_NEW_SIZE, MIN_BLOCK_SIZE
from fotabuild.limits import READ_LIMITS

if TYPE_CHECKING:
    from fotabuild.delta.hints import ImageHints
    from fotabuild.delta.index import OldIndex
    from fotabuild.delta.rounds import Plan

DEFAULT_BLOCK_SIZE = 512
_GENERATION = "delta engine 3"
"""Raise the number when the same images get other bytes; tests/delta_sizes tells."""
_CLOSE = 8
"""Bytes by which a plan's price may be wrong, compared with another one's of the same images."""


def engine() -> str:
    """Return what decides, besides images, block size, effort and hints, which bytes a patch has.

    From ``balanced`` on, matches and blocks are our own work: it has a number of its own.
    """
    import bsdiff4  # Where the kernel was built, only its version is asked for.
    import lz4

    liblz4 = lz4.library_version_string()
    return f"fotabuild {_GENERATION}, bsdiff4 {bsdiff4.__version__}, liblz4 {liblz4}"


def make_patch(
    old: bytes,
    new: bytes,
    *,
    block_size: int = DEFAULT_BLOCK_SIZE,
    effort: Effort = Effort.BALANCED,
    time_limit: float | None = None,
    hints: ImageHints | None = None,
    index: OldIndex | None = None,
) -> Patch:
    """Return a patch that turns ``old`` into ``new``.

    The same arguments give the same bytes on every machine, unless ``time_limit`` ended the work.

    Args:
        old: the installed image; empty is allowed (everything is inserted).
        new: the image after the update, 1 to 2**32 - 1 bytes.
        block_size: frame bound in bytes; the device needs two buffers of this size.
        effort: how hard to try; the smallest result of this step and those below is kept.
        time_limit: seconds after which the smallest patch found by then is taken; the first step
            is always done, however long it takes. None for no limit.
        hints: symbols of both images, from which better candidates may come.
        index: the index of the old image, if it is at hand: it saves time and changes nothing.

    Raises:
        DeltaError: an empty new image, a block size that no device accepts, an index of another
            image, or a patch that does not give back the new image (a defect of this encoder).
    """
    if not 1 <= len(new) <= MAX_NEW_SIZE:
        raise DeltaError(
            f"no patch can make an image of {len(new)} bytes", remedy="give the new firmware image"
        )
    if not MIN_BLOCK_SIZE <= block_size <= READ_LIMITS.patch_block:
        raise DeltaError(
            f"block size {block_size} is out of range",
            field="block-size",
            remedy=f"use {MIN_BLOCK_SIZE} to {READ_LIMITS.patch_block}; 512 fits every device",
        )
    if index is not None and index.old != old:
        raise DeltaError("the index is that of another image", field="index")
    deadline = Deadline(time_limit)
    following = effort.steps()[1:2] if time_limit is None else ()
    search = _Search(
        open_kernel(old, new, index and index.suffixes, deadline),
        (old, new),
        block_size,
        _hinted(hints, old, new),
        deadline,
        SETTINGS[following[0]][0] if following else None,
    )
    results: list[_Result] = []
    best: _Result | None = None
    for step in effort.steps():
        frames = search.run(step, best)
        if not frames:
            break
        result = _Result(step, frames, write_patch(len(new), block_size, frames))
        best = result if best is None or len(result.data) < len(best.data) else best
        results.append(best)
        if search.ended:
            break
    assert best is not None
    check_plan(old, new, (packed.frame for packed in best.frames))
    if not reproduces(best.data, old, new):
        raise DeltaError("the patch does not reproduce the new image", remedy="report this defect")
    stats = PatchStats(
        best.effort,
        tuple((step, len(r.data)) for step, r in zip(effort.steps(), results, strict=False)),
        not search.ended,
        search.compiled,
    )
    return Patch(best.data, stats)


class _Result(NamedTuple):
    effort: Effort
    frames: list[PackedFrame]
    data: bytes


class _Search:
    """What the steps of effort have in common.

    Attributes:
        ended: whether the time was up before all was done.
    """

    def __init__(
        self,
        kernel: Kernel,
        images: tuple[bytes, bytes],
        block_size: int,
        segments: list[Segment],
        deadline: Deadline,
        ahead: CandidateSettings | None,
    ) -> None:
        """Prepare the steps.

        Args:
            kernel: what does the hot parts.
            images: the old and the new one.
            block_size: frame bound in bytes.
            segments: those that are known already.
            deadline: when the work ends.
            ahead: segments to look for while the first step is at work.
        """
        self._kernel = kernel
        self._old, self._new = images
        self._block_size = block_size
        self._segments = segments
        self._deadline = deadline
        self._ahead = ahead
        self._looked_at: set[CandidateSettings] = set()
        self.ended = False

    @property
    def compiled(self) -> bool:
        """Whether the kernel is the one in C."""
        return self._kernel.compiled

    def run(self, effort: Effort, best: _Result | None) -> list[PackedFrame]:
        """Return the frames of one step; none if the time was up before there were any."""
        if best is None:
            return self._fill()
        from fotabuild.delta.rounds import plan_frames  # A quick patch does without.

        candidates, settings = SETTINGS[effort]
        plans: list[Plan] = []
        try:
            self._deadline.check()
            self._look(candidates)
            for plan in plan_frames(
                self._kernel,
                self._segments,
                (len(self._old), len(self._new)),
                self._block_size,
                settings,
                (packed.frame for packed in best.frames),
            ):
                plans.append(plan)
        except TimeUpError:
            self.ended = True
        return self._smallest(plans) if plans else []

    def _smallest(self, plans: list[Plan]) -> list[PackedFrame]:
        """Pack the cheapest plan, the last one of them; those of nearly its price are compared."""
        bound = min(plan.price for plan in plans) + _CLOSE
        packed = [
            list(pack_frames(self._kernel, plan.frames, self._block_size))
            for plan in reversed(plans)
            if plan.price <= bound
        ]
        if len(packed) == 1:
            return packed[0]
        return min(
            packed, key=lambda frames: len(write_patch(len(self._new), self._block_size, frames))
        )

    def _fill(self) -> list[PackedFrame]:
        """Return the frames of the first step, and look for the segments of the next meanwhile."""
        filled: list[PackedFrame] = []

        def fill() -> None:
            pieces = match_pieces(self._old, self._new, self._kernel)
            filled.extend(self._kernel.fill(pieces, self._block_size))

        tasks: list[Callable[[], None]] = [fill]
        if self._ahead is not None:
            tasks.append(partial(self._look, self._ahead))
        run_all(tasks, at_once=self.compiled)
        return filled

    def _look(self, candidates: CandidateSettings) -> None:
        """Take in the segments that were not looked for yet."""
        if candidates not in self._looked_at:
            self._looked_at.add(candidates)
            found = self._kernel.find_segments(candidates)
            self._segments = merge_segments([*self._segments, *found])


def _hinted(hints: ImageHints | None, old: bytes, new: bytes) -> list[Segment]:
    """Return where the symbols say that the images resemble each other."""
    if hints is None:
        return []
    from fotabuild.delta.hints import hinted_segments  # Most patches are made without.

    return hinted_segments(hints, old, new)
