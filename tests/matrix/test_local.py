"""Matrices in processes of this machine."""

from __future__ import annotations

import dataclasses
import multiprocessing
import os
import resource
import signal
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fotabuild.cache.content_cache import ContentCache
from fotabuild.cache.engine import needed_memory
from fotabuild.delta.decoder import apply_patch
from fotabuild.delta.encoder import make_patch
from fotabuild.matrix import local
from fotabuild.matrix.outcome import MatrixResult, Outcome, Row
from fotabuild.matrix.run import Workforce, run_matrix
from fotabuild.matrix.work import Work, gather, run_work
from fotabuild.steps.delta import DeltaStep

from .conftest import MakeSteps

ALONE, TWO = Workforce(jobs=1), Workforce(jobs=2)
JOBS = pytest.mark.parametrize("workforce", [ALONE, TWO], ids=["one process", "two"])


def outcomes(result: MatrixResult) -> list[str]:
    return [row.outcome.value for row in result.rows]


def check(steps: list[DeltaStep]) -> None:
    """Apply every patch."""
    for step in steps:
        assert apply_patch(step.old_image.read_bytes(), step.output.read_bytes()) == (
            step.new_image.read_bytes()
        )
        assert step.sidecar.is_file()


@JOBS
def test_second_run_computes_nothing(
    make_steps: MakeSteps, cache: ContentCache, workforce: Workforce
) -> None:
    steps = make_steps(3)
    first = run_matrix(steps, cache, workforce)
    assert (outcomes(first), first.computed) == (["made"] * 3, 3)
    check(steps)
    before = {path: path.read_bytes() for step in steps for path in step.outputs}
    second = run_matrix(steps, cache, workforce)
    assert (outcomes(second), second.computed) == (["reused"] * 3, 0)
    assert {path: path.read_bytes() for path in before} == before


def test_one_more_release_computes_one_delta(make_steps: MakeSteps, cache: ContentCache) -> None:
    steps = make_steps(4)
    run_matrix(steps[:3], cache, TWO)
    result = run_matrix(steps, cache, TWO)
    assert outcomes(result) == ["reused"] * 3 + ["made"]
    assert result.computed == 1


def test_without_a_cache(make_steps: MakeSteps) -> None:
    steps = make_steps(2)
    assert [run_matrix(steps, None, TWO).computed for _ in range(2)] == [2, 2]
    check(steps)


@JOBS
@pytest.mark.parametrize("cached", [True, False])
def test_equal_images_are_done_once(
    make_steps: MakeSteps, cache: ContentCache, workforce: Workforce, cached: bool
) -> None:
    steps = make_steps(3)
    steps[1].old_image.write_bytes(steps[0].old_image.read_bytes())
    result = run_matrix(steps, cache if cached else None, workforce)
    assert (outcomes(result), result.computed) == (["made", "reused", "made"], 2)
    assert steps[0].output.read_bytes() == steps[1].output.read_bytes()
    check(steps)


@JOBS
def test_what_is_not_worth_it(
    make_steps: MakeSteps, cache: ContentCache, workforce: Workforce
) -> None:
    steps = make_steps(2)
    run_matrix(steps, cache, workforce)
    strict = [dataclasses.replace(steps[0], threshold=1), steps[1]]
    result = run_matrix(strict, cache, workforce)
    assert (outcomes(result), result.computed) == (["full-image", "reused"], 0)
    assert "1 % is the threshold" in result.rows[0].text
    # The patch of an earlier run must not be published.
    assert not steps[0].output.exists()
    assert not steps[0].sidecar.exists()
    assert steps[1].output.exists()


def test_foreign_files_are_not_discarded(make_steps: MakeSteps) -> None:
    step = dataclasses.replace(make_steps(1)[0], threshold=1)
    step.output.parent.mkdir()
    step.sidecar.write_text("somebody: else\n")
    step.output.write_bytes(b"mine")
    assert outcomes(run_matrix([step], None, ALONE)) == ["full-image"]
    assert step.output.read_bytes() == b"mine"


@JOBS
def test_a_failure_stops_nobody(
    make_steps: MakeSteps, cache: ContentCache, workforce: Workforce, tmp_path: Path
) -> None:
    steps = make_steps(4)
    steps[0].old_image.write_bytes(b"no decoder in here" * 100)
    steps[1] = dataclasses.replace(steps[1], old_image=tmp_path / "gone.bin")
    steps[2] = dataclasses.replace(steps[2], old_digest="00" * 32)
    result = run_matrix(steps, cache, workforce)
    assert outcomes(result) == ["failed"] * 3 + ["made"]
    assert [row.code for row in result.rows] == ["FB0501", "FB0300", "FB1001", None]
    assert [row.exit_status for row in result.rows] == [1, 1, 3, 0]
    assert "gone.bin" in result.rows[1].text


def test_one_process_and_two_write_the_same(make_steps: MakeSteps, tmp_path: Path) -> None:
    steps = make_steps(3)
    found = []
    for workforce in (ALONE, TWO):
        run_matrix(steps, None, workforce)
        found.append([path.read_bytes() for step in steps for path in step.outputs])
    assert found[0] == found[1]


def run_and_die(work: Work, cache: ContentCache | None) -> list[Row]:
    """Die like a process that the system ended, as long as a file says so."""
    flag = work.steps[0][1].old_image.with_suffix(".die")
    if flag.exists():
        if flag.read_text() == "once":
            flag.unlink()
        os.kill(os.getpid(), signal.SIGKILL)
    return run_work(work, cache)


@pytest.mark.parametrize("how_often", ["once", "always"])
def test_processes_that_die(
    make_steps: MakeSteps,
    cache: ContentCache,
    monkeypatch: pytest.MonkeyPatch,
    how_often: str,
) -> None:
    monkeypatch.setattr(local, "run_work", run_and_die)
    steps = make_steps(4)
    steps[1].old_image.with_suffix(".die").write_text(how_often)
    result = run_matrix(steps, cache, TWO)
    # What was in the cache when a neighbour died is not made again.
    done = {"made", "reused"}
    expected = {"once": done, "always": {"failed"}}[how_often]
    assert all(
        found in wanted
        for found, wanted in zip(outcomes(result), [done, expected, done, done], strict=True)
    )
    assert (result.rows[1].text.count("died 3 times")) == (how_often == "always")


def test_memory_bounds_what_runs_at_once(
    make_steps: MakeSteps, cache: ContentCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of three deltas needs more than a third of what there is."""
    steps = make_steps(3)
    work, _ = gather(steps)
    running: list[int] = []
    most: list[int] = []
    submit = ProcessPoolExecutor.submit

    def counted(pool: ProcessPoolExecutor, run: Any, one: Work, kept: object) -> Any:
        running.append(one.memory)
        most.append(sum(running))
        future: Future[Any] = submit(pool, run, one, kept)
        future.add_done_callback(lambda _: running.remove(one.memory))
        return future

    monkeypatch.setattr(ProcessPoolExecutor, "submit", counted)
    bound = 2 * work[0].memory
    result = run_matrix(steps, cache, Workforce(jobs=3, memory=bound))
    assert outcomes(result) == ["made"] * 3
    assert bound // 2 < max(most) <= bound
    # One that needs more than there is runs alone.
    most.clear()
    run_matrix(steps, None, Workforce(jobs=3, memory=1))
    assert max(most) == work[0].memory


def peak(size: int) -> int:
    """Return the bytes that this process had at most after making a patch."""
    data = os.urandom(size)
    make_patch(data, data[: size // 2] + os.urandom(size // 2))
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_the_estimate_of_memory_is_enough(figure: Callable[[str], None]) -> None:
    size = 4 << 20
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        used = pool.apply(peak, (size,))
    assert needed_memory(size, size) / 3 < used <= needed_memory(size, size)
    figure(f"delta of 4 MiB images: {used >> 20} MiB used of {needed_memory(size, size) >> 20}")


def test_work_is_sorted_by_size_and_old_image(make_steps: MakeSteps) -> None:
    steps = make_steps(3)
    steps[2].old_image.write_bytes(steps[2].old_image.read_bytes() + bytes(9000))
    work, failed = gather(steps)
    assert failed == []
    assert work[0].steps == ((2, steps[2]),)
    assert [one.memory for one in work] == sorted((one.memory for one in work), reverse=True)


def test_rows_count(make_steps: MakeSteps) -> None:
    result = run_matrix(make_steps(2), None, ALONE)
    assert {outcome: result.count(outcome) for outcome in Outcome} == {
        Outcome.MADE: 2,
        Outcome.REUSED: 0,
        Outcome.FULL_IMAGE: 0,
        Outcome.FAILED: 0,
    }
