"""A matrix in processes of this machine, within a bound on memory."""

from __future__ import annotations

import contextlib
import multiprocessing
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.context import BaseContext

from fotabuild.cache.content_cache import ContentCache
from fotabuild.files.folders import renames_flushed_together, sync_folder
from fotabuild.matrix.local_process import end_processes, prepare_process, run_task, undisturbed
from fotabuild.matrix.outcome import Row
from fotabuild.matrix.work import Work, lost, run_work

_TRIES = 3
Report = Callable[[list[Row]], None]


def run_local(
    work: Sequence[Work], cache: ContentCache | None, jobs: int, memory: int, report: Report
) -> None:
    """Run all work; ``report`` hears of each piece that is done.

    A process that dies, such as one that the system ended for its memory, takes no result of
    others with it: its work is tried again, at last alone. Whoever interrupts does not wait for
    patches that are under way.

    Args:
        work: what to do; the largest first.
        cache: where patches are kept.
        jobs: processes.
        memory: bytes that running work may need together; one piece runs in any case.
        report: called in this process.
    """
    if jobs <= 1 or len(work) <= 1:
        with renames_flushed_together():
            for one in work:
                report(run_work(one, cache))
        return
    try:
        _run_pools(work, cache, jobs, memory, report)
    finally:
        for folder in {
            path.parent for one in work for _, step in one.steps for path in step.outputs
        }:
            sync_folder(folder)


def _run_pools(
    work: Sequence[Work], cache: ContentCache | None, jobs: int, memory: int, report: Report
) -> None:
    tries = dict.fromkeys((one.key for one in work), 0)
    waiting = list(work)
    while waiting:
        suspects = [one for one in waiting if tries[one.key] == _TRIES - 1]
        if suspects:
            others = [one for one in waiting if one not in suspects]
            waiting = [*_run_pool(suspects, cache, 1, memory, report, tries), *others]
        else:
            waiting = _run_pool(waiting, cache, jobs, memory, report, tries)
        for one in [one for one in waiting if tries[one.key] >= _TRIES]:
            waiting.remove(one)
            report(
                lost(
                    one,
                    f"the process that made it died {_TRIES} times",
                    "give it more memory, or lower --jobs",
                )
            )


def _run_pool(
    work: list[Work],
    cache: ContentCache | None,
    jobs: int,
    memory: int,
    report: Report,
    tries: dict[str, int],
) -> list[Work]:
    """Run work until it is done or a process dies; return what is left to do."""
    waiting = deque(work)
    running: dict[Future[list[Row]], Work] = {}
    # One ahead for each process, which need not wait for this one then; but a suspect is alone.
    most = 2 * jobs if jobs > 1 else 1
    try:
        with _pool(min(jobs, len(work))) as pool:
            while waiting or running:
                while waiting and len(running) < most:
                    free = memory - sum(one.memory for one in running.values())
                    fitting = next((one for one in waiting if one.memory <= free), None)
                    one = fitting if fitting is not None or running else waiting[0]
                    if one is None:
                        break
                    with undisturbed():  # Processes may start here.
                        running[pool.submit(run_task, run_work, one, cache)] = one
                    waiting.remove(one)
                for future in wait(running, return_when=FIRST_COMPLETED).done:
                    report(future.result())
                    del running[future]
    except BrokenProcessPool:
        # Nobody knows which of them it was; finished ones among them are reported first.
        for future, one in running.items():
            if future.done() and future.exception() is None:
                report(future.result())
            else:
                tries[one.key] += 1
                waiting.append(one)
    return list(waiting)


@contextlib.contextmanager
def _pool(count: int) -> Iterator[ProcessPoolExecutor]:
    """Keep processes, and end them at once where an exception ends the work."""
    others = set(multiprocessing.active_children())
    pool = ProcessPoolExecutor(count, _context(), prepare_process)
    try:
        yield pool
        pool.shutdown(cancel_futures=True)
    except BaseException:  # Nobody takes what is under way.
        end_processes(set(multiprocessing.active_children()) - others)
        pool.shutdown(wait=False, cancel_futures=True)
        raise


def _context() -> BaseContext:
    """Return how processes start.

    A copy of this one has everything loaded, and shares its memory. That is sound only where no
    other thread may hold a lock, and where the system's own libraries bear it.
    """
    alone = threading.active_count() == 1
    return multiprocessing.get_context("fork" if alone and sys.platform == "linux" else "spawn")
