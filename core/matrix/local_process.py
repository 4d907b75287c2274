"""The processes of a matrix on this machine: how they start, work and end."""

from __future__ import annotations

import contextlib
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from multiprocessing import connection
from multiprocessing.process import BaseProcess
from types import FrameType
from typing import TypeVar

from fotabuild.cache.content_cache import ContentCache
from fotabuild.delta.parallel import use_processors
from fotabuild.files.folders import renames_flushed_together
from fotabuild.matrix.work import Work

T = TypeVar("T")
_SECONDS_TO_END = 1.5
_HELD = {signal.SIGINT, signal.SIGTERM}
_unflushed = contextlib.ExitStack()


class _EndedError(SystemExit):
    """The parent wants the process to end."""


def prepare_process() -> None:
    """Leave Ctrl-C and folders to the parent, which flushes them once.

    End when it says so, or when it is gone: nobody would collect the result.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, _raise_ended)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, _HELD)
    _unflushed.enter_context(renames_flushed_together())
    use_processors(1)  # The others are for the other processes.
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_end_with, args=(parent.sentinel,), daemon=True).start()


def run_task(
    run: Callable[[Work, ContentCache | None], T], work: Work, cache: ContentCache | None
) -> T:
    """Do a piece of work; end the process, and not only the work, when the parent says so."""
    try:
        return run(work, cache)
    except _EndedError:  # No temporary file is left: as after any other exception.
        os._exit(1)


@contextlib.contextmanager
def undisturbed() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM back, until a process that starts inside knows what to do then."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, _HELD)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def end_processes(processes: Iterable[BaseProcess]) -> None:
    """End processes at once; whatever they write goes away with them."""
    for process in processes:
        process.terminate()
    end = time.monotonic() + _SECONDS_TO_END
    for process in processes:
        process.join(max(0.0, end - time.monotonic()))
        if process.is_alive():  # Deep in compiled code, or it cannot be reached.
            process.kill()


def _raise_ended(number: int, _frame: FrameType | None) -> None:
    signal.signal(number, signal.SIG_IGN)  # Cleaning up must not be interrupted.
    raise _EndedError


def _end_with(sentinel: int) -> None:
    connection.wait([sentinel])
    os._exit(1)
