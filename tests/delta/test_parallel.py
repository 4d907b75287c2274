"""Work on several processors: the same results, whatever their number."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable
from functools import partial

import pytest

from fotabuild.delta import parallel, rounds
from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.parallel import run_all

from ..formats.golden import firmware


def fail(problem: str) -> int:
    raise ValueError(problem)


@pytest.fixture(params=[1, 2, 9])
def _processors(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "processors", lambda: request.param)


@pytest.mark.usefixtures("_processors")
def test_results_come_in_the_order_of_the_tasks() -> None:
    assert run_all([]) == []
    assert run_all([partial(pow, number, 2) for number in range(50)]) == [
        number**2 for number in range(50)
    ]


@pytest.mark.usefixtures("_processors")
def test_error_of_a_task_is_raised() -> None:
    tasks: list[Callable[[], int]] = [lambda: 1, partial(fail, "broken"), lambda: 3]
    with pytest.raises(ValueError, match="broken"):
        run_all(tasks)


def test_nothing_is_begun_after_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "processors", lambda: 2)
    begun: list[int] = []

    def begin_and_fail(number: int) -> None:
        begun.append(number)
        raise ValueError("broken")

    with pytest.raises(ValueError, match="broken"):
        run_all([partial(begin_and_fail, number) for number in range(9)])
    assert len(begun) <= 2  # One of each thread.


def test_threads_have_a_stack_for_c_code(monkeypatch: pytest.MonkeyPatch) -> None:
    """SCons sets a small one for all threads of the process, which liblz4 overruns."""
    monkeypatch.setattr(parallel, "processors", lambda: 2)
    sizes = []
    real = threading.stack_size

    def note(size: int = 0) -> int:
        sizes.append(size)
        return real(size)

    before = real(256 * 1024)
    try:
        monkeypatch.setattr(_thread, "stack_size", note)
        assert run_all([partial(int, 1), partial(int, 2)]) == [1, 2]
        assert real(256 * 1024) == 256 * 1024  # As the host had it.
    finally:
        real(before)
    assert sizes == [8 * 1024 * 1024, 256 * 1024]


def test_interrupt_comes_before_errors(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "processors", lambda: 2)
    both = threading.Barrier(2, timeout=60)

    def fail_together(error: BaseException) -> None:
        both.wait()
        raise error

    with pytest.raises(KeyboardInterrupt):
        run_all([partial(fail_together, e) for e in (ValueError("broken"), KeyboardInterrupt())])


def test_one_of_several_processes_uses_one_processor(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "_most", None)
    parallel.use_processors(1)
    assert parallel.processors() == 1


@pytest.mark.parametrize("most", [0, 1, 3])
def test_the_threads_there_are_do_the_work(monkeypatch: pytest.MonkeyPatch, most: int) -> None:
    monkeypatch.setattr(parallel, "processors", lambda: 9)
    begun: list[threading.Thread] = []
    start = threading.Thread.start

    def start_few(thread: threading.Thread) -> None:
        if len(begun) == most:
            raise RuntimeError("can't start new thread")
        begun.append(thread)
        start(thread)

    monkeypatch.setattr(threading.Thread, "start", start_few)
    assert run_all([partial(pow, number, 2) for number in range(50)]) == [
        number**2 for number in range(50)
    ]
    assert len(begun) == most
    assert not any(thread.is_alive() for thread in begun)


def test_no_thread_is_left_behind_by_an_interrupt(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "processors", lambda: 3)
    started = threading.Event()
    begun: list[threading.Thread] = []
    done: list[int] = []
    start = threading.Thread.start

    def start_one(thread: threading.Thread) -> None:
        if begun:
            assert started.wait(60)
            raise KeyboardInterrupt
        begun.append(thread)
        start(thread)

    def note(number: int) -> None:
        started.set()
        time.sleep(0.05)
        done.append(number)

    monkeypatch.setattr(threading.Thread, "start", start_one)
    with pytest.raises(KeyboardInterrupt):
        run_all([partial(note, number) for number in range(100)])
    assert not begun[0].is_alive()
    assert 0 < len(done) < 100


def test_tasks_run_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "processors", lambda: 2)
    seen: list[int] = []

    def wait_for(other: int, own: int) -> bool:
        seen.append(own)
        end = time.monotonic() + 60
        while other not in seen and time.monotonic() < end:
            time.sleep(0.001)
        return other in seen

    assert run_all([partial(wait_for, 2, 1), partial(wait_for, 1, 2)]) == [True, True]


def test_work_in_python_is_done_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "processors", lambda: 9)
    threads = run_all([threading.get_ident] * 9, at_once=False)
    assert threads == [threading.get_ident()] * 9


@pytest.mark.cc
def test_patch_is_the_same_on_any_number_of_processors(
    monkeypatch: pytest.MonkeyPatch, kernel: bool
) -> None:
    assert kernel
    monkeypatch.setattr(rounds, "_LEAST_PART", 2000)
    old, new = firmware("fw-1.0.0")[:20_000], firmware("fw-1.1.0")[:20_000]
    patches = set()
    for count in (1, 2, 8):
        monkeypatch.setattr(parallel, "processors", partial(int, count))
        patches.add(make_patch(old, new, effort=Effort.BEST).data)
    assert len(patches) == 1
