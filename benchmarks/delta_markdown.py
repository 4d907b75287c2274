"""The tables of ``docs/delta.md``: a line for each pair, a column for each figure."""

from __future__ import annotations

import statistics
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import NamedTuple

from delta_runs import Result


class _Column(NamedTuple):
    """A figure of the runs with one block size and effort; only ratios have means."""

    title: str
    block_size: int
    effort: str
    value: Callable[[Result], float]
    form: str = "{}"


def to_markdown(results: Sequence[Result], fruitful: Sequence[str], own: Sequence[str]) -> str:
    """Return both tables, and below them what a reader must know about the pairs.

    Args:
        results: the same efforts and block sizes for every pair.
        fruitful: pairs that count in means.
        own: pairs that are not of the corpus.
    """
    blocks = list(dict.fromkeys(result.block_size for result in results))
    efforts = list(dict.fromkeys(result.effort for result in results))
    pairs = list(dict.fromkeys(result.pair for result in results))
    sizes = [_Column("old image", blocks[0], efforts[0], lambda result: result.old_size)]
    for block in blocks:
        sizes.append(_Column(f"{block}: peer", block, efforts[0], lambda result: result.peer_size))
        sizes += [
            _Column(effort, block, effort, lambda result: result.size_ratio, "{:.3f}")
            for effort in efforts
        ]
    costs = [
        _Column(f"{title} {effort}", blocks[0], effort, value, "{:.2f}")
        for title, value in (
            ("wall", lambda result: result.wall_ratio),
            ("memory", lambda result: result.peak_ratio),
        )
        for effort in efforts
    ]
    counted = [pair for pair in pairs if pair in fruitful]
    lines = [
        *_table(sizes, results, pairs, counted),
        "",
        f"Wall time and peak memory at block {blocks[0]}:",
        "",
        *_table(costs, results, pairs, counted),
        *_note("Means leave out", [pair for pair in pairs if pair not in counted]),
        *_note("Builds of our own, not in the corpus:", [pair for pair in pairs if pair in own]),
    ]
    return "\n".join(lines) + "\n"


def _table(
    columns: Sequence[_Column],
    results: Iterable[Result],
    pairs: Sequence[str],
    counted: Sequence[str],
) -> Iterator[str]:
    found = {(result.pair, result.block_size, result.effort): result for result in results}

    def value(pair: str, column: _Column) -> float:
        return column.value(found[pair, column.block_size, column.effort])

    yield _row("pair", (column.title for column in columns))
    yield "| --- |" + " ---: |" * len(columns)
    for pair in pairs:
        yield _row(pair, (column.form.format(value(pair, column)) for column in columns))
    for title, names, summary in (
        (f"geometric mean of {len(counted)}", counted, statistics.geometric_mean),
        (f"highest of {len(pairs)}", pairs, max),
    ):
        if names:
            yield _row(
                f"**{title}**",
                (
                    f"**{column.form.format(summary([value(pair, column) for pair in names]))}**"
                    if column.form != "{}"
                    else ""
                    for column in columns
                ),
            )


def _row(name: str, cells: Iterable[str]) -> str:
    return f"| {name} | {' | '.join(cells)} |"


def _note(text: str, names: Sequence[str]) -> Iterator[str]:
    if names:
        yield ""
        yield f"{text} {', '.join(f'`{name}`' for name in names)}."
