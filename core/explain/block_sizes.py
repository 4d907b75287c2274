"""What other block sizes would save, and what they cost in the device's memory."""

from __future__ import annotations

import math
import time
from collections.abc import Iterable
from dataclasses import dataclass

from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.hints import ImageHints

# What fits the smallest decoder, the update client's own default, and where gains level off.
USUAL_SIZES = (512, 1024, 4096)
_BUFFERS = 2


@dataclass(frozen=True)
class BlockChoice:
    """A block size for one update, in bytes.

    Attributes:
        block_size: bound on frames.
        patch_size: size of the patch.
    """

    block_size: int
    patch_size: int

    @property
    def device_memory(self) -> int:
        """Bytes of memory that the decoder's two buffers take while it works."""
        return _BUFFERS * self.block_size


def compare_block_sizes(
    old: bytes,
    new: bytes,
    known: BlockChoice,
    *,
    effort: Effort,
    time_limit: float | None = None,
    hints: ImageHints | None = None,
    sizes: Iterable[int] = USUAL_SIZES,
) -> tuple[BlockChoice, ...]:
    """Make the patch with other block sizes, too; each takes as long as the patch itself.

    Args:
        old: the old image.
        new: the new image.
        known: the patch that is there already.
        effort: its effort.
        time_limit: its time limit, for all of the others together.
        hints: its symbols.
        sizes: block sizes to try.

    Returns:
        The choices by block size, the known one among them.
    """
    choices = {known.block_size: known}
    end = math.inf if time_limit is None else time.monotonic() + time_limit
    for size in sizes:
        if size not in choices:
            left = None if time_limit is None else max(0.0, end - time.monotonic())
            patch = make_patch(
                old, new, block_size=size, effort=effort, time_limit=left, hints=hints
            )
            choices[size] = BlockChoice(size, len(patch.data))
    return tuple(choices[size] for size in sorted(choices))
