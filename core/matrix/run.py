"""Run a matrix: sort it into work, make what is missing, write every delta."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from fotabuild.cache.content_cache import ContentCache
from fotabuild.matrix.local import run_local
from fotabuild.matrix.machine import free_memory, processors
from fotabuild.matrix.outcome import MatrixResult, Outcome, Row
from fotabuild.matrix.work import gather
from fotabuild.steps.delta import DeltaStep


@dataclass(frozen=True)
class Workforce:
    """Who does the work.

    Attributes:
        jobs: processes of this machine; 0 for as many as there are processors.
        memory: bytes that they may need together; 0 for half of what is free.
        scheduler: address of a Dask scheduler, if the patches are made on its cluster.
        patience: seconds to wait for a cluster that makes no patch.
    """

    jobs: int = 1
    memory: int = 0
    scheduler: str | None = None
    patience: float = 300.0


def foresee_matrix(
    steps: Sequence[DeltaStep], report: Callable[[Row], None] = lambda _row: None
) -> MatrixResult:
    """Look for the images of all deltas; make and write nothing.

    Args:
        steps: the deltas.
        report: hears of each.
    """
    start = time.perf_counter()
    work, failed = gather(steps)
    planned = [Row(index, Outcome.PLANNED, "") for one in work for index, _ in one.steps]
    rows = sorted((*failed, *planned), key=lambda row: row.index)
    for row in rows:
        report(row)
    return MatrixResult(steps, rows, time.perf_counter() - start)


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
    if workforce.scheduler is not None:
        from fotabuild.matrix.cluster import run_on_cluster

        work = run_on_cluster(work, cache, workforce.scheduler, workforce.patience, take, say)
    jobs = workforce.jobs or processors()
    run_local(work, cache, jobs, workforce.memory or free_memory() // 2, take)
    ordered = [rows[index] for index in range(len(steps))]
    return MatrixResult(steps, ordered, time.perf_counter() - start)
