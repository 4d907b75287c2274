"""Pictures of an explanation as SVG: the costs along the image, and the largest contributors."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from fotabuild.explain.costs import Cause
from fotabuild.explain.explanation import Explanation, Share
from fotabuild.explain.names import readable, shortened

# Colours that people with impaired colour vision tell apart.
COLOURS = {
    Cause.INSERTED: "#d55e00",
    Cause.CHANGED: "#0072b2",
    Cause.UNCHANGED: "#b8c4cc",
    Cause.RECORDS: "#e0b000",
}
_WIDTH, _MAP_HEIGHT = 900, 140
_BAR, _LABEL = 18, 330
_NARROWEST_LABEL = 40
_LABEL_LETTERS = 44


def map_picture(explanation: Explanation) -> str:
    """Return the costs from the image's first byte to its last, with the sections below."""
    columns = explanation.columns
    highest = max([share.total for share in columns], default=0) or 1
    width = _WIDTH / max(1, len(columns))
    body = []
    for index, share in enumerate(columns):
        title = f"{share.offset:#x} to {share.offset + share.size:#x}: {share.total:.0f} bytes"
        body.append(f"<g><title>{title}</title>")
        y = float(_MAP_HEIGHT)
        for cause, cost in share.costs.items():
            height = _MAP_HEIGHT * cost / highest
            y -= height
            if height >= 0.05:
                body.append(_rectangle(index * width, y, max(width - 0.5, 0.5), height, cause))
        body.append("</g>")
    body.append(f'<path d="M0 {_MAP_HEIGHT}.5h{_WIDTH}" stroke="#444"/>')
    for section in explanation.sections:
        left = _WIDTH * section.offset / explanation.image_size
        span = _WIDTH * section.size / explanation.image_size
        body.append(
            f"<g><title>{escape(section.name)}: {section.total:.0f} bytes</title>"
            f'<rect x="{left:.1f}" y="{_MAP_HEIGHT + 4}" width="{span:.1f}" height="16" '
            f'fill="#eef" stroke="#889"/>'
        )
        if span >= max(_NARROWEST_LABEL, 7 * len(section.name)):
            middle = left + span / 2
            body.append(
                f'<text x="{middle:.1f}" y="{_MAP_HEIGHT + 16}" text-anchor="middle">'
                f"{escape(section.name)}</text>"
            )
        body.append("</g>")
    return _svg("Cost along the image", _MAP_HEIGHT + 26, body)


def bars_picture(shares: Sequence[Share]) -> str:
    """Return one bar for each share, cut by cause."""
    longest = max([share.total for share in shares], default=0) or 1
    scale = (_WIDTH - _LABEL - 60) / longest
    body = []
    for line, share in enumerate(shares):
        y = line * (_BAR + 4)
        name = readable(share.name)
        label = shortened(name, _LABEL_LETTERS)
        body.append(
            f"<g><title>{escape(name)} at {share.offset:#x}, {share.size} bytes</title>"
            f'<text x="{_LABEL - 8}" y="{y + 13}" text-anchor="end">{escape(label)}</text>'
        )
        x = float(_LABEL)
        for cause, cost in share.costs.items():
            if cost * scale >= 0.05:
                body.append(_rectangle(x, y, cost * scale, _BAR, cause))
                x += cost * scale
        body.append(f'<text x="{x + 5:.1f}" y="{y + 13}">{share.total:.0f}</text></g>')
    return _svg("Largest contributors", len(shares) * (_BAR + 4), body)


def _rectangle(x: float, y: float, width: float, height: float, cause: Cause) -> str:
    return (
        f'<rect x="{x:.2f}" y="{y:.2f}" width="{width:.2f}" height="{height:.2f}" '
        f'fill="{COLOURS[cause]}"/>'
    )


def _svg(title: str, height: int, body: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" role="img" aria-label="{escape(title)}" '
        f'font-family="sans-serif" font-size="12">' + "".join(body) + "</svg>"
    )
