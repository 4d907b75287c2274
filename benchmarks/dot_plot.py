"""A dot plot of ratios as an SVG file that needs nothing else."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

_LEFT, _RIGHT, _TOP, _ROW, _WIDTH = 160, 30, 70, 22, 860
# Colours that people with impaired colour vision tell apart, and a shape for each besides.
_COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000", "#999999")


@dataclass(frozen=True)
class Row:
    """One line of the plot: its label, and a ratio for each series."""

    label: str
    ratios: dict[str, float]


def plot(title: str, rows: Sequence[Row]) -> str:
    """Return the plot; a line marks the ratio 1, at which both programs are equal."""
    series = list(dict.fromkeys(name for row in rows for name in row.ratios))
    values = [value for row in rows for value in row.ratios.values()]
    low, high, ticks = _axis(min([*values, 1]), max([*values, 1]))
    height = _TOP + _ROW * len(rows) + 40

    def x(value: float) -> float:
        share = (math.log(value) - math.log(low)) / (math.log(high) - math.log(low))
        return round(_LEFT + share * (_WIDTH - _LEFT - _RIGHT), 1)

    body = [f'<text x="10" y="24" font-size="16">{escape(title)}</text>']
    for index, name in enumerate(series):
        left = 14 + 170 * (index % 5)
        top = 44 + 16 * (index // 5)
        body.append(_mark(left, top, index))
        body.append(f'<text x="{left + 10}" y="{top + 4}">{escape(name)}</text>')
    bottom = height - 34
    for tick in ticks:
        strong = tick == 1
        body.append(
            f'<line x1="{x(tick)}" y1="{_TOP}" x2="{x(tick)}" y2="{bottom}" '
            f'stroke="{"#444" if strong else "#ddd"}"/>'
            f'<text x="{x(tick)}" y="{bottom + 16}" text-anchor="middle">{tick:g}</text>'
        )
    for line, row in enumerate(rows):
        y = _TOP + _ROW * line + _ROW / 2
        body.append(
            f'<text x="{_LEFT - 10}" y="{y + 4}" text-anchor="end">{escape(row.label)}</text>'
        )
        body += [_mark(x(value), y, series.index(name)) for name, value in row.ratios.items()]
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'width="{_WIDTH}" height="{height}" font-family="sans-serif" font-size="12" role="img">'
        f"<title>{escape(title)}</title>"
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>' + "\n".join(body) + "</svg>\n"
    )


def _axis(low: float, high: float) -> tuple[float, float, list[float]]:
    """Return a logarithmic axis that holds both values, with round ticks on it."""
    steps = [0.01 * 2**power for power in range(-2, 20)]
    if high / low < 6:
        steps = [round(0.1 * tenth, 1) for tenth in range(1, 100)]
    # 1 belongs onto every axis: it is where both programs are equal.
    ticks = sorted({*steps, 1.0})
    first = max([tick for tick in ticks if tick <= low], default=ticks[0])
    last = min([tick for tick in ticks if tick >= high and tick > first], default=ticks[-1])
    inside = [tick for tick in ticks if first <= tick <= last]
    stride = math.ceil(len(inside) / 14)
    return first, last, [t for i, t in enumerate(inside) if i % stride == 0 or t == 1]


def _mark(x: float, y: float, index: int) -> str:
    colour = _COLOURS[index % len(_COLOURS)]
    if index % 3 == 0:
        return f'<circle cx="{x}" cy="{y}" r="5" fill="{colour}"/>'
    if index % 3 == 1:
        return f'<rect x="{x - 4.5}" y="{y - 4.5}" width="9" height="9" fill="{colour}"/>'
    return f'<path d="M{x} {y - 6}l6 10h-12z" fill="{colour}"/>'
