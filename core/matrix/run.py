"""Run a matrix: sort it into work, make what is missing, write every delta."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fotabuild.cache.content_cache import ContentCache
from fotabuild.matrix.local import default_jobs, default_memory, run_local
from fotabuild.matrix.outcome import MatrixResult, Outcome, Row
from fotabuild.matrix.work import gather, run_work
from fotabuild.steps.delta import DeltaStep


@dataclass(frozen=True)
class Workforce:
    """Who does the work.

    Attributes:
        jobs: processes of this machine; 0 for as many as it has processors.
        memory: bytes that they may need together; 0 for half of what is free.
        scheduler: address of a Dask scheduler, if the patches are made on its cluster.
        patience: seconds to wait for a lost cluster.
    """

    jobs: int = 1
    memory: int = 0
    scheduler: str | None = None
    patience: float = 300.0


def run_matrix(
    steps: Sequence[DeltaStep],
    cache: ContentCache | None,
    workforce: Workforce,
    report: Callable[[Row], None] = lambda _row: None,
    say: Callable[[str], None] = lambda _text: None,
) -> MatrixResult:
    """Make all deltas.

    A delta that fails does not stop the others. What is finished is in the cache and written,
    whatever happens afterwards.

    Args:
        steps: the deltas; their images must exist.
        cache: where patches are kept.
        workforce: who does the work.
        report: hears of each delta as soon as it is done.
        say: hears of what people should know meanwhile.

    Raises:
        ClusterError: the cluster cannot be reached, or returns something else.
    """
    start = time.perf_counter()
    work, failed = gather(steps)
    rows: dict[int, Row] = {}

    def take(found: list[Row]) -> None:
        for row in found:
            rows[row.index] = row
            report(row)

    take(failed)
    jobs = workforce.jobs or default_jobs()
    memory = workforce.memory or default_memory()
    if workforce.scheduler is None:
        run_local(work, cache, jobs, memory, take)
    else:
        from fotabuild.matrix.cluster import fill_cache

        with tempfile.TemporaryDirectory(prefix="fotabuild-") as folder:
            # Without a cache of the user the results still need a place until they are written.
            kept = cache or ContentCache(Path(folder), 1 << 50)
            done = fill_cache(
                work,
                kept,
                workforce.scheduler,
                workforce.patience,
                lambda one: take(_mark(run_work(one, kept))),
                say,
            )
            rest = [one for one in work if one.key not in done]
            run_local(rest, kept, jobs, memory, take)
    ordered = [rows[index] for index in range(len(steps))]
    return MatrixResult(steps, ordered, time.perf_counter() - start)


def _mark(rows: list[Row]) -> list[Row]:
    """Say of a delta that the cluster has just made that it was made, not found."""
    first, *copies = rows
    outcome = Outcome.MADE if first.outcome is Outcome.REUSED else first.outcome
    return [replace(first, computed=True, outcome=outcome), *copies]
