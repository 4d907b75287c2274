"""Whom a run blames when workers die, on an imitated cluster, where they die when they should."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from fotabuild.matrix import cluster, cluster_task
from fotabuild.matrix.cluster_connection import LostError, WorkersDiedError
from fotabuild.matrix.cluster_task import TaskError
from fotabuild.matrix.outcome import Outcome, Row
from fotabuild.matrix.work import gather
from fotabuild.steps.delta import DeltaStep

from .conftest import MakeSteps

PATIENCE = 1.0


@dataclass(eq=False)
class Task:
    """What stands for a result on the cluster."""

    key: str
    run: Callable[..., Any]
    arguments: tuple[Any, ...]
    status: str = "pending"
    looks: int = 0


@dataclass
class Imitation:
    """A cluster that does what it has at the second look.

    Attributes:
        deadly: kills the worker that makes the patch of such an old image.
        bad_images: how many tasks of images fail before one is good.
        troubled: makers of patches that have trouble before all else.
        losses: which looks for what is done find that the scheduler is lost, counted from 0.
        beside: for each patch that it was given, how many others it had then, and its old image.
    """

    deadly: Callable[[bytes], bool] = lambda _old: False
    bad_images: int = 0
    troubled: int = 0
    losses: Collection[int] = ()
    looks: int = 0
    beside: list[tuple[int, bytes]] = field(default_factory=list)
    tasks: dict[str, Task] = field(default_factory=dict)
    keys: list[str] = field(default_factory=list)

    @contextlib.contextmanager
    def connected(self, _address: str, _patience: float) -> Iterator[Imitation]:
        self.tasks.clear()
        yield self

    def threads(self) -> int:
        return 1

    def is_working(self, tasks: Collection[Task]) -> bool:
        return bool(tasks)

    def submit(self, run: Callable[..., Any], *arguments: Any, key: str) -> Task:
        self.keys.append(key)
        if key in self.tasks:  # Dask returns what it knows, failed or not.
            return self.tasks[key]
        task = self.tasks[key] = Task(key, run, arguments)
        if run is cluster_task.image:
            if self.bad_images:
                self.bad_images -= 1
                task.status = "error"
        else:
            others = [one for one in self.tasks.values() if one.run is cluster_task.make]
            waiting = [one for one in others if one.status == "pending" and one is not task]
            self.beside.append((len(waiting), self._old(task)))
        return task

    def done(self, tasks: Collection[Task]) -> list[Task]:
        self.looks += 1
        if self.looks - 1 in self.losses:
            raise LostError("gone")
        for task in tasks:
            task.looks += 1
        ready = [task for task in tasks if task.looks > 1]
        if any(self.deadly(self._old(task)) for task in ready):
            ready = [*tasks]  # One worker has them all.
            for task in ready:
                task.status = "error"
        for task in ready:
            failed = any(image.status == "error" for image in task.arguments[:2])
            task.status = "error" if failed or task.status == "error" else "finished"
        return ready

    def result(self, task: Task) -> object:
        if self.troubled:
            self.troubled -= 1
            raise TaskError("a worker has no memory")
        if task.status == "error":
            raise WorkersDiedError("workers died")
        images = [image.arguments[0] for image in task.arguments[:2]]
        return task.run(*images, *task.arguments[2:])

    @staticmethod
    def _old(task: Task) -> bytes:
        data: bytes = task.arguments[0].arguments[0]
        return data


def run(steps: list[DeltaStep], own: Imitation, monkeypatch: pytest.MonkeyPatch) -> list[Row]:
    monkeypatch.setattr(cluster, "connected", own.connected)
    rows: list[Row] = []
    work, _ = gather(steps)
    left = cluster.run_on_cluster(work, None, "tcp://x:1", PATIENCE, rows.extend, lambda _: None)
    assert left == []
    return sorted(rows, key=lambda row: row.index)


@pytest.mark.parametrize(
    ("losses", "together", "alone"),
    [((), 5, 5), ((1, 3), 15, 5), ((3, 6), 5, 7)],
    ids=["never", "before the blame", "after the blame"],
)
def test_who_dies_alone_is_to_blame(
    losses: Collection[int],
    together: int,
    alone: int,
    make_steps: MakeSteps,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Also where the scheduler is lost on the way, and what it had is given to it once more."""
    steps = make_steps(5)
    guilty = steps[2].old_image.read_bytes()
    own = Imitation(deadly=guilty.__eq__, losses=losses)
    rows = run(steps, own, monkeypatch)
    made = Outcome.MADE
    assert [row.outcome for row in rows] == [made, made, Outcome.FAILED, made, made]
    assert "it failed alone on the cluster, at last: workers died" in rows[2].text
    # Each was blamed once, with all others, and is tried alone; for the guilty one that is the end.
    assert len(own.beside) == together + alone
    assert {count for count, _ in own.beside[together:]} == {0}
    assert len({old for _, old in own.beside[together:]}) == 5


def test_trouble_before_is_no_blame(make_steps: MakeSteps, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has failed twice when it is blamed with the others, and is tried alone all the same."""
    steps = make_steps(3)
    guilty = steps[1].old_image.read_bytes()
    rows = run(steps, Imitation(deadly=guilty.__eq__, troubled=6), monkeypatch)
    assert [row.outcome for row in rows] == [Outcome.MADE, Outcome.FAILED, Outcome.MADE]
    assert "it failed alone on the cluster, at last: workers died" in rows[1].text


def test_an_image_that_failed_is_given_under_another_name(
    make_steps: MakeSteps, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = Imitation(bad_images=1)
    rows = run(make_steps(3), own, monkeypatch)
    assert [row.outcome for row in rows] == [Outcome.MADE] * 3
    images = [key for key in own.keys if key.startswith("fotabuild-image-")]
    assert len(images) == len(set(images)) == 5
    assert sorted({key.rpartition("-")[2] for key in images}) == ["1", "2"]
