"""A finished patch, and how it came about."""

from __future__ import annotations

from typing import NamedTuple

from fotabuild.delta.effort import Effort


class PatchStats(NamedTuple):
    """How a patch came about.

    Attributes:
        effort: the step whose result was the smallest.
        sizes: size in bytes after each step that gave a patch, cheapest first; the time limit may
            have ended the last one early.
        complete: whether all steps were done; False if the time limit ended the work.
        kernel: whether compiled code did the work; it does not change the bytes.
    """

    effort: Effort
    sizes: tuple[tuple[Effort, int], ...]
    complete: bool
    kernel: bool


class Patch(NamedTuple):
    """A patch that was applied and gave the new image.

    Attributes:
        data: the file.
        stats: how it came about.
    """

    data: bytes
    stats: PatchStats
