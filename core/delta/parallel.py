"""Several pieces of work at once, on the processors there are.

For work that releases the interpreter: compiled code and liblz4. What comes out does not depend on
the number of processors.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

T = TypeVar("T")


def run_all(tasks: Sequence[Callable[[], T]], *, at_once: bool = True) -> list[T]:
    """Run all tasks, return their results in order.

    An exception of one of them is raised when all have ended, the first one's if there are several.

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
            except BaseException as error:
                errors[index] = error

    from threading import Thread  # A quick patch does without.

    threads = [Thread(target=work) for _ in range(count - 1)]
    for thread in threads:
        thread.start()
    work()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[min(errors)]
    return results  # type: ignore[return-value]


def processors() -> int:
    """Return how many processors this process may use."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # Not on this platform.
        return os.cpu_count() or 1
