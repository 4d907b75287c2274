"""Work on several processors: the same results, whatever their number."""

from __future__ import annotations

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
def test_first_error_is_raised() -> None:
    tasks: list[Callable[[], int]] = [lambda: 1, partial(fail, "first"), partial(fail, "second")]
    with pytest.raises(ValueError, match="first"):
        run_all(tasks)


def test_tasks_run_at_the_same_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parallel, "processors", lambda: 2)
    seen: list[int] = []

    def wait_for(other: int, own: int) -> bool:
        seen.append(own)
        end = time.monotonic() + 10
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
