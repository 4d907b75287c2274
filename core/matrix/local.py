"""A matrix in processes of this machine, within a bound on memory."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection
from pathlib import Path

from fotabuild.cache.content_cache import ContentCache
from fotabuild.matrix.outcome import Row
from fotabuild.matrix.work import Work, lost, run_work

_TRIES = 3
Report = Callable[[list[Row]], None]


def default_jobs() -> int:
    """Return how many processes this machine works best with."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


def default_memory() -> int:
    """Return half of the memory that is free, in bytes; a GiB where nobody knows."""
    try:
        for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024 // 2
    except (OSError, ValueError):
        pass
    return 1 << 30


def run_local(
    work: Sequence[Work], cache: ContentCache | None, jobs: int, memory: int, report: Report
) -> None:
    """Run all work; ``report`` hears of each piece that is done.

    A process that dies, such as one that the system ended for its memory, takes no result of
    others with it: its work is tried again, at last alone.

    Args:
        work: what to do; the largest first.
        cache: where patches are kept.
        jobs: processes.
        memory: bytes that running work may need together; one piece runs in any case.
        report: called in this process.
    """
    if jobs <= 1 or len(work) <= 1:
        for one in work:
            report(run_work(one, cache))
        return
    tries = dict.fromkeys((one.key for one in work), 0)
    waiting = list(work)
    alone = False
    while waiting:
        waiting = _run_pool(waiting, cache, 1 if alone else jobs, memory, report, tries)
        for one in [one for one in waiting if tries[one.key] >= _TRIES]:
            waiting.remove(one)
            report(
                lost(
                    one,
                    f"the process that made it died {_TRIES} times",
                    "give it more memory, or lower --jobs",
                )
            )
        alone = any(tries[one.key] == _TRIES - 1 for one in waiting)


def _run_pool(
    work: list[Work],
    cache: ContentCache | None,
    jobs: int,
    memory: int,
    report: Report,
    tries: dict[str, int],
) -> list[Work]:
    """Run work until it is done or a process dies; return what is left to do."""
    context = multiprocessing.get_context("spawn")
    waiting = list(work)
    running: dict[Future[list[Row]], Work] = {}
    pool = ProcessPoolExecutor(min(jobs, len(work)), context, _prepare_process)
    try:
        while waiting or running:
            while waiting and len(running) < jobs:
                free = memory - sum(one.memory for one in running.values())
                fitting = next((one for one in waiting if one.memory <= free), None)
                one = fitting if fitting is not None or running else waiting[0]
                if one is None:
                    break
                running[pool.submit(run_work, one, cache)] = one
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
    finally:
        pool.shutdown(cancel_futures=True)
    return waiting


def _prepare_process() -> None:
    """Leave Ctrl-C to the parent, and end when that is gone: nobody would collect the result."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
