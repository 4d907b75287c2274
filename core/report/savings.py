"""What deltas save: one bar for each, drawn into that of the full image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fotabuild.report.model import Schema, Update

#: Length of the longest bar.
FULL_LENGTH = 1000


@dataclass(frozen=True)
class SavingBar:
    """A delta beside the full image.

    Attributes:
        since: the version that it starts from.
        version: the version after it.
        image_length: of the full image, in parts of ``FULL_LENGTH``.
        patch_length: of the delta.
        text: both in numbers.
    """

    since: str
    version: str
    image_length: float
    patch_length: float
    text: str


def saving_bars(updates: Sequence[Update]) -> tuple[SavingBar, ...]:
    """Return a bar for each patch, all on one scale.

    Manifests v3 and v1 of one release bring the same patches, which are shown once.
    """
    every = [update for update in updates if update.saving is not None]
    patches = [update for update in every if update.schema is Schema.V3] or every
    longest = max([max(item.image_size, item.payload_size) for item in patches], default=0)
    return tuple(_bar(item, FULL_LENGTH / longest) for item in patches if longest)


def _bar(item: Update, scale: float) -> SavingBar:
    saving = item.saving or 0.0
    effect = f"saves {saving} %" if saving >= 0 else f"{-saving} % larger than the image"
    return SavingBar(
        since=item.since or "?",
        version=item.version,
        image_length=round(item.image_size * scale, 1),
        # Never invisible.
        patch_length=round(max(item.payload_size * scale, 2), 1),
        text=f"{item.payload_size:,} bytes, {effect}",
    )
