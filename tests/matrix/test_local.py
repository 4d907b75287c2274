"""Matrices in processes of this machine."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from fotabuild.cache.content_cache import ContentCache
from fotabuild.cache.engine import needed_memory
from fotabuild.cache.patches import keep_patch
from fotabuild.delta.decoder import apply_patch
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.patch import Patch
from fotabuild.device.patch_device import PatchDevice
from fotabuild.matrix import local
from fotabuild.matrix.outcome import MatrixResult, Outcome, Row
from fotabuild.matrix.run import Workforce, run_matrix
from fotabuild.matrix.work import Work, gather, run_work
from fotabuild.steps.delta import DeltaStep

from . import images
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
    strict = [steps[0]._replace(threshold=1), steps[1]]
    result = run_matrix(strict, cache, workforce)
    assert (outcomes(result), result.computed) == (["full-image", "reused"], 0)
    assert "1 % is the threshold" in result.rows[0].text
    # The patch of an earlier run must not be published.
    assert not steps[0].output.exists()
    assert not steps[0].sidecar.exists()
    assert steps[1].output.exists()


def test_a_patch_without_its_side_file_is_discarded(make_steps: MakeSteps) -> None:
    """Such as a build that was killed between the two leaves it."""
    [step] = make_steps(1)
    run_matrix([step], None, ALONE)
    step.sidecar.unlink()
    run_matrix([step._replace(threshold=1)], None, ALONE)
    assert not step.output.exists()


@pytest.mark.parametrize("left", [b"", b"mine"])
def test_what_is_no_patch_is_not_discarded(make_steps: MakeSteps, left: bytes) -> None:
    step = make_steps(1)[0]._replace(threshold=1)
    step.output.parent.mkdir()
    step.output.write_bytes(left)
    assert outcomes(run_matrix([step], None, ALONE)) == ["full-image"]
    assert step.output.read_bytes() == left


def test_foreign_files_are_not_discarded(make_steps: MakeSteps) -> None:
    step = make_steps(1)[0]._replace(threshold=1)
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
    steps[1] = steps[1]._replace(old_image=tmp_path / "gone.bin")
    steps[2] = steps[2]._replace(old_digest="00" * 32)
    result = run_matrix(steps, cache, workforce)
    assert outcomes(result) == ["full-image", "failed", "failed", "made"]
    assert [row.code for row in result.rows] == ["FB0501", "FB0300", "FB1001", None]
    assert [row.exit_status for row in result.rows] == [0, 1, 3, 0]
    assert "the old image carries no patch decoder" in result.rows[0].text
    assert "gone.bin" in result.rows[1].text


def poison(step: DeltaStep, cache: ContentCache, patch: Patch) -> None:
    """Put a wrong patch under the right key, as an entry that is sound."""
    keep_patch(cache, gather([step])[0][0].key, patch)


@JOBS
def test_wrong_patches_in_the_cache_heal(
    make_steps: MakeSteps, cache: ContentCache, workforce: Workforce
) -> None:
    steps = make_steps(4)
    old, new = (path.read_bytes() for path in (steps[0].old_image, steps[0].new_image))
    right = make_patch(old, new)
    poison(steps[0], cache, make_patch(old, new + b"x"))
    poison(steps[1], cache, make_patch(old, os.urandom(len(new))))  # "Not worth it".
    poison(steps[2], cache, make_patch(steps[2].old_image.read_bytes(), new, block_size=1024))
    poison(steps[3], cache, right._replace(data=right.data[:-1]))
    for expected in (4, 0):
        result = run_matrix(steps, cache, workforce)
        assert result.computed == expected
        assert outcomes(result) == [("made" if expected else "reused")] * 4
    check(steps)


def test_a_right_patch_that_a_device_refuses_stays(
    make_steps: MakeSteps, cache: ContentCache
) -> None:
    [step] = make_steps(1)
    run_matrix([step], cache, ALONE)
    small = step._replace(device=PatchDevice(memory=512))
    result = run_matrix([small], cache, ALONE)
    assert (outcomes(result), result.rows[0].code, result.computed) == (["failed"], "FB0700", 0)


def test_copies_have_their_own_digest(make_steps: MakeSteps) -> None:
    """A delta that is a copy of another's is refused all the same."""
    [step] = make_steps(1)
    steps = [
        step._replace(output=step.output.with_name(f"{number}.patch"), old_digest=digest)
        for number, digest in enumerate((None, "00" * 32))
    ]
    result = run_matrix(steps, None, ALONE)
    assert outcomes(result) == ["made", "failed"]
    assert result.rows[1].code == "FB1001"


@pytest.mark.parametrize("which", ["old_image", "new_image"])
def test_elf_files_are_no_images(make_steps: MakeSteps, which: str) -> None:
    [step] = make_steps(1)
    path = getattr(step, which)
    path.write_bytes(b"\x7fELF" + path.read_bytes())
    [row] = run_matrix([step], None, ALONE).rows
    assert (row.outcome, row.code) == (Outcome.FAILED, "FB0500")
    assert path.name in row.text
    assert f"make the image with 'fotabuild image {path.name} " in row.text


def test_processes_end_with_the_client(tmp_path: Path) -> None:
    """They would make what nobody takes."""
    *old, new = images.write(tmp_path, images.versions(41, 400_000))
    client = subprocess.Popen(
        [
            *(sys.executable, "-m", "fotabuild", "matrix", "--old", *map(str, old)),
            *("--new", str(new), "-o", str(tmp_path / "out"), "-j", "3", "--effort", "max"),
        ],
        env={**os.environ, "FOTABUILD_CACHE_DIR": "off"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert client.stderr is not None
    assert client.stderr.readline().startswith("made")
    client.kill()
    # Every process has this end of the pipe: it closes with the last of them.
    client.communicate(timeout=60)
    assert len(list((tmp_path / "out").glob("*.patch"))) < len(old) / 2


SLOW = r"""
import os, signal, sys, time
from fotabuild.cli.main import main
from fotabuild.steps import delta

def make_patch(*_arguments, **_more):
    if how == "deaf":  # As in compiled code.
        signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGTERM])
    os.write(2, b"slow\n")
    time.sleep(60)

how, *arguments = sys.argv[1:]
delta.make_patch = make_patch
sys.exit(main(arguments))
"""


@pytest.mark.parametrize("how", ["one", "all", "deaf"])
@pytest.mark.parametrize(
    ("number", "ending"),
    [(signal.SIGINT, (130, "interrupted")), (signal.SIGTERM, (143, "terminated"))],
)
def test_nobody_waits_for_patches_that_are_under_way(
    number: int, ending: tuple[int, str], how: str, tmp_path: Path
) -> None:
    """Ctrl-C of a terminal is for all processes, ``kill`` for one."""
    *old, new = map(str, images.write(tmp_path, images.versions(6)))
    client = subprocess.Popen(
        [
            *(sys.executable, "-c", SLOW, how, "matrix", "--old", *old, "--new", new),
            *("-o", str(tmp_path / "out"), "-j", "2"),
        ],
        env={**os.environ, "FOTABUILD_CACHE_DIR": "off"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    assert client.stderr is not None
    try:
        assert [client.stderr.readline() for _ in range(2)] == ["slow\n"] * 2
        start = time.monotonic()
        (os.killpg if how == "all" else os.kill)(client.pid, number)
        # Every process has this end of the pipe: it closes with the last of them.
        _, errors = client.communicate(timeout=60)
    finally:
        client.kill()
    assert time.monotonic() - start < 20
    assert (client.returncode, errors.strip()) == ending
    assert not (tmp_path / "out").exists()


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
    running: list[tuple[Future[Any], int]] = []
    most: list[int] = []
    submit = ProcessPoolExecutor.submit

    def counted(pool: ProcessPoolExecutor, task: Any, run: Any, one: Work, kept: object) -> Any:
        most.append(one.memory + sum(memory for future, memory in running if not future.done()))
        started: Future[Any] = submit(pool, task, run, one, kept)
        running.append((started, one.memory))
        return started

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
    # Not ru_maxrss: that begins with the peak of the process that started this one.
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024


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
        Outcome.PLANNED: 0,
    }
