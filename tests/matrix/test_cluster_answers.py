"""What the client makes of what workers return."""

from __future__ import annotations

import dataclasses
import struct
from collections.abc import Callable
from typing import Any

import msgspec
import pytest

from fotabuild.cache import engine
from fotabuild.cache.content_cache import ContentCache
from fotabuild.delta.effort import Effort
from fotabuild.delta.patch import Patch
from fotabuild.digest import sha256
from fotabuild.errors import ClusterError
from fotabuild.matrix import cluster_task
from fotabuild.matrix.cluster_run import ClusterRun, Job, Patience
from fotabuild.matrix.cluster_task import Answer, TaskError
from fotabuild.matrix.outcome import Outcome, Row
from fotabuild.matrix.work import Work, gather

from .conftest import MakeSteps


def make(old: bytes, new: bytes, expected: str, block_size: int = 512) -> Answer:
    return cluster_task.make(old, new, block_size, Effort.FAST, None, expected)


@pytest.fixture
def work(make_steps: MakeSteps) -> Work:
    return gather(make_steps(1))[0][0]


@pytest.fixture
def answer(work: Work) -> Answer:
    return make(*images(work), engine.fingerprint())


def images(work: Work) -> tuple[bytes, bytes]:
    return work.step.old_image.read_bytes(), work.step.new_image.read_bytes()


@dataclasses.dataclass
class Taken:
    """A run with one job, and what it reported."""

    run: ClusterRun
    job: Job
    rows: list[Row]

    def take(self, found: object) -> None:
        self.run.take(self.job, found)


@pytest.fixture
def taken(work: Work, cache: ContentCache) -> Taken:
    rows: list[Row] = []
    job = Job(work)
    run = ClusterRun({work.key: job}, cache, Patience(9), rows.extend, lambda _text: None)
    return Taken(run, job, rows)


def test_a_good_answer_is_written_and_kept(
    taken: Taken, work: Work, answer: Answer, cache: ContentCache
) -> None:
    taken.take(tuple(answer))
    assert [(row.outcome, row.computed) for row in taken.rows] == [(Outcome.MADE, True)]
    assert cache.get(work.key) == answer.patch
    assert work.step.output.read_bytes() == msgspec.msgpack.decode(answer.patch, type=Patch).data
    assert not taken.run.jobs


def sealed(data: bytes) -> Answer:
    return Answer(engine.fingerprint(), data, sha256(data))


def patched(change: Callable[[bytes], bytes]) -> Callable[[Answer], Answer]:
    """Return what changes the patch of an answer, not its envelope."""

    def apply(answer: Answer) -> Answer:
        patch = msgspec.msgpack.decode(answer.patch, type=Patch)
        other = patch._replace(data=change(patch.data))
        return sealed(msgspec.msgpack.encode(other))

    return apply


WRONG: dict[str, Callable[[Answer], object]] = {
    "flipped on the way": lambda one: one._replace(patch=b"\0" + one.patch[1:]),
    "cut": lambda one: sealed(one.patch[:-1]),
    "of another image": lambda _one: make(b"", b"another image", engine.fingerprint()),
    "no patch": lambda _one: sealed(b"\x93\x01\x02\x03"),
    "too short": lambda _one: ("too", "short"),
    "wrong types": lambda one: (one.engine, "text", 7, "", ""),
    "nothing": lambda _one: None,
    "trouble": lambda _one: Answer(engine.fingerprint(), trouble="MemoryError: \x1b[2J"),
    "another byte": patched(lambda data: data[:-1] + bytes([data[-1] ^ 1])),
    "another block size": patched(lambda data: data[:24] + struct.pack("<Q", 1024) + data[32:]),
    "a bomb": patched(lambda data: data[:16] + struct.pack("<Q", 1 << 40) + data[24:]),
    "empty": patched(lambda _data: b""),
}


@pytest.mark.parametrize("change", WRONG.values(), ids=WRONG)
def test_wrong_answers_are_asked_for_again(
    taken: Taken,
    work: Work,
    answer: Answer,
    cache: ContentCache,
    change: Callable[[Answer], object],
) -> None:
    with pytest.raises(TaskError) as caught:
        taken.take(change(answer))
    assert str(caught.value).isprintable()
    assert cache.get(work.key) is None
    assert not work.step.output.exists()
    assert taken.run.jobs


def test_a_worker_with_another_engine(taken: Taken, answer: Answer) -> None:
    assert make(b"old", b"new", "another").patch == b""
    with pytest.raises(ClusterError, match="another version"):
        taken.take(answer._replace(engine="another"))


def test_a_pair_without_a_patch_is_left_to_this_machine(taken: Taken, work: Work) -> None:
    """The engine refuses; who runs the pair here will say why."""
    refused = make(b"old", b"", engine.fingerprint())
    assert refused.refusal
    taken.take(refused)
    assert (taken.run.here, taken.rows, taken.run.jobs) == ([work], [], {})


def test_inputs_that_vanish_are_left_to_this_machine(
    taken: Taken, work: Work, answer: Answer
) -> None:
    work.step.old_image.unlink()
    taken.take(answer)
    assert (taken.run.here, taken.rows) == ([work], [])


def test_errors_of_workers_are_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_arguments: Any, **_more: Any) -> None:
        raise MemoryError("no room")

    monkeypatch.setattr(cluster_task, "make_patch", fail)
    assert make(b"old", b"new", engine.fingerprint()).trouble == "MemoryError: no room"


def test_what_fails_too_often_is_one_failed_row(taken: Taken) -> None:
    taken.job.failed = 3
    taken.run.give_up(taken.job, TaskError("why"))
    [row] = taken.rows
    assert (row.outcome, "3 times on the cluster, at last: why" in row.text) == (
        Outcome.FAILED,
        True,
    )
    assert not taken.run.jobs
