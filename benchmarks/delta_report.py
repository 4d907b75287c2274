"""The figures of a run as text, as JSON values, and as rows of the plot."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict
from typing import Any

from delta_runs import Result
from dot_plot import Row

_FIGURES: dict[str, Callable[[Result], float]] = {
    "size": lambda result: result.size_ratio,
    "wall": lambda result: result.wall_ratio,
    "peak": lambda result: result.peak_ratio,
}


def to_values(results: Sequence[Result], fruitful: Sequence[str]) -> dict[str, Any]:
    """Return every figure, for programs."""
    return {
        "results": [
            {**asdict(result), **{f"{name}_ratio": get(result) for name, get in _FIGURES.items()}}
            for result in results
        ],
        "geometric_means": [
            {"block_size": block_size, "effort": effort, "pairs": len(group), **means(group)}
            for (block_size, effort), group in _groups(_only(results, fruitful)).items()
        ],
    }


def to_text(results: Sequence[Result], fruitful: Sequence[str]) -> str:
    """Return a table in Markdown: a line for each pair, then the means."""
    lines = [
        "| pair | block | effort | peer | ours | size | wall | memory |",
        "| --- | ---: | --- | ---: | ---: | ---: | ---: | ---: |",
    ]
    for result in results:
        lines.append(
            f"| {result.pair} | {result.block_size} | {result.effort} | {result.peer_size} "
            f"| {result.size} | {result.size_ratio:.3f} | {result.wall_ratio:.2f} "
            f"| {result.peak_ratio:.2f} |"
        )
    for (block_size, effort), group in _groups(_only(results, fruitful)).items():
        mean = means(group)
        lines.append(
            f"| **geometric mean of {len(group)}** | {block_size} | {effort} | | "
            f"| **{mean['size']:.3f}** | **{mean['wall']:.2f}** | **{mean['peak']:.2f}** |"
        )
    return "\n".join(lines) + "\n"


def means(results: Iterable[Result]) -> dict[str, float]:
    """Return the geometric mean of each ratio."""
    group = list(results)
    return {
        name: statistics.geometric_mean(get(result) for result in group)
        for name, get in _FIGURES.items()
    }


def to_rows(results: Sequence[Result], figure: str) -> list[Row]:
    """Return the rows of a plot of one of the ratios: a row for each pair."""
    rows: dict[str, dict[str, float]] = {}
    for result in results:
        series = f"{result.effort}, block {result.block_size}"
        rows.setdefault(result.pair, {})[series] = _FIGURES[figure](result)
    return [Row(name, values) for name, values in rows.items()]


def _only(results: Iterable[Result], fruitful: Sequence[str]) -> list[Result]:
    """Leave out pairs that differ in a handful of bytes or are compressed already."""
    return [result for result in results if result.pair in fruitful]


def _groups(results: Iterable[Result]) -> dict[tuple[int, str], list[Result]]:
    groups: dict[tuple[int, str], list[Result]] = {}
    for result in results:
        groups.setdefault((result.block_size, result.effort), []).append(result)
    return groups
