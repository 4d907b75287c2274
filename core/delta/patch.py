"""A finished patch, with what each of its bytes is for."""

from __future__ import annotations

from dataclasses import dataclass

from fotabuild.delta.effort import Effort


@dataclass(frozen=True)
class FrameUse:
    """A frame of the patch.

    Attributes:
        start: first byte in the new image.
        length: plain bytes.
        old_start: first byte in the old image that is added to; None for inserted bytes.
        size: bytes in the patch, with the length in front.
    """

    start: int
    length: int
    old_start: int | None
    size: int


@dataclass(frozen=True)
class RecordUse:
    """A record of the patch.

    Attributes:
        start: first byte in the new image.
        diff_length: bytes made from the old image.
        extra_length: bytes inserted after them.
        control_size: bytes in the patch for the two lengths and the seek.
        frames: its frames, in order.
    """

    start: int
    diff_length: int
    extra_length: int
    control_size: int
    frames: tuple[FrameUse, ...]


@dataclass(frozen=True)
class PatchStats:
    """How a patch came about.

    Attributes:
        effort: the step whose result was the smallest.
        sizes: size in bytes after each finished step, cheapest first.
        complete: whether all steps were done; False if the time limit ended the work.
        kernel: whether compiled code did the work; it does not change the bytes.
    """

    effort: Effort
    sizes: tuple[tuple[Effort, int], ...]
    complete: bool
    kernel: bool


@dataclass(frozen=True)
class Patch:
    """A patch that was applied and gave the new image.

    Attributes:
        data: the file.
        records: what its bytes are for; control and frames, and 40 of the header, are all of it.
        stats: how it came about.
    """

    data: bytes
    records: tuple[RecordUse, ...]
    stats: PatchStats
