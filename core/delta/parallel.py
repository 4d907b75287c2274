"""Several pieces of work at once, on the processors there are.

For work that releases the interpreter: compiled code and liblz4. What comes out does not depend on
the number of processors.
"""

from __future__ import annotations

import _thread  # threading takes long to load.
import contextlib
import os
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from threading import Thread

T = TypeVar("T")
_most: int | None = None
# What main threads have. LZ4 overruns the 256 KiB that SCons sets for all threads.
_STACK_SIZE = 8 * 1024 * 1024
_stack_size_lock = _thread.allocate_lock()


def run_all(tasks: Sequence[Callable[[], T]], *, at_once: bool = True) -> list[T]:
    """Run all tasks, return their results in order.

    An exception of one of them is raised when those that were begun have ended; no more are begun.
    Where the system gives fewer threads, these do the work, at last the caller alone.

    Args:
        tasks: functions that do not need each other.
        at_once: False for work in Python, which threads make slower.
    """
    count = min(len(tasks), processors() if at_once else 1)
    if count < 2:
        return [task() for task in tasks]
    results: list[T | None] = [None] * len(tasks)
    errors: dict[int, BaseException] = {}
    waiting = deque(range(len(tasks)))

    def work() -> None:
        while True:
            try:
                index = waiting.popleft()
            except IndexError:
                return
            try:
                results[index] = tasks[index]()
            except BaseException as error:  # Also when the user interrupts.
                errors[index] = error
                waiting.clear()

    threads: list[Thread] = []
    try:
        _start(threads, work, count - 1)
        work()
    finally:  # Also when the user interrupts between two tasks.
        waiting.clear()
        for thread in threads:
            thread.join()
    if errors:
        interrupts = [error for error in errors.values() if not isinstance(error, Exception)]
        raise [*interrupts, errors[min(errors)]][0]
    return results  # type: ignore[return-value]


def _start(threads: list[Thread], work: Callable[[], None], count: int) -> None:
    """Start so many threads, or as many as the system has."""
    from threading import Thread  # A quick patch does without.

    with ample_stacks():
        for _ in range(count):
            thread = Thread(target=work)
            try:
                thread.start()
            except (RuntimeError, MemoryError):
                return
            threads.append(thread)


@contextlib.contextmanager
def ample_stacks() -> Iterator[None]:
    """Give threads that are started inside a stack for C code, whatever the host has set."""
    with _stack_size_lock:
        before = _thread.stack_size(_STACK_SIZE)
        try:
            yield
        finally:
            _thread.stack_size(before)


def use_processors(count: int) -> None:
    """Use so many processors at most, in a process that is one of several."""
    global _most
    _most = count


def processors() -> int:
    """Return how many processors this process may use."""
    if _most is not None:
        return _most
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Not on this platform.
        return os.cpu_count() or 1
