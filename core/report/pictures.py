"""The picture of what deltas save, as SVG that takes its colours from the page."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from fotabuild.report.model import Schema, Update

_WIDTH, _LABEL, _VALUE = 900, 120, 240
_BAR, _GAP = 22, 8


def savings_picture(updates: Sequence[Update]) -> str:
    """Return one line for each release: its patch, drawn into the size of the full image.

    Empty when there is no patch.
    """
    every = [update for update in updates if update.saving is not None]
    patches = [update for update in every if update.schema is Schema.V3] or every
    longest = max([max(item.image_size, item.payload_size) for item in patches], default=0)
    if not longest:
        return ""
    scale = (_WIDTH - _LABEL - _VALUE) / longest
    body = []
    for line, item in enumerate(patches):
        y = line * (_BAR + _GAP)
        middle = y + _BAR - 6
        since, version = escape(item.since or "?"), escape(item.version)
        size, image = item.payload_size * scale, item.image_size * scale
        body.append(
            f"<g><title>{since} to {version}: {item.payload_size} of {item.image_size} bytes"
            f'</title><text x="{_LABEL - 10}" y="{middle}" text-anchor="end">{since}</text>'
            f'<rect class="full" x="{_LABEL}" y="{y}" width="{image:.1f}" height="{_BAR}" rx="3"/>'
            f'<rect class="patch" x="{_LABEL}" y="{y}" width="{max(size, 1):.1f}" '
            f'height="{_BAR}" rx="3"/>'
            f'<text x="{_LABEL + max(image, size) + 10:.1f}" y="{middle}">'
            f"{item.payload_size:,} bytes, saves {item.saving} %</text></g>"
        )
    height = len(patches) * (_BAR + _GAP)
    return (
        f'<svg class="savings" viewBox="0 0 {_WIDTH} {height}" role="img" '
        f'aria-label="Size of the delta from each release, against the full image">'
        + "".join(body)
        + "</svg>"
    )
