"""Matrices on a real Dask cluster of this machine; client, scheduler and workers are processes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from fotabuild.cache.content_cache import ContentCache
from fotabuild.cache.patches import keep_patch
from fotabuild.delta.decoder import apply_patch
from fotabuild.delta.encoder import make_patch
from fotabuild.errors import ClusterError
from fotabuild.matrix.run import Workforce, run_matrix
from fotabuild.matrix.work import gather

from ..command import Finished, run_fotabuild
from ..conftest import ROOT
from . import images
from .cluster import Cluster
from .conftest import MakeSteps

KILLS = 6


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    with Cluster(tmp_path_factory.mktemp("cluster")) as started:
        yield started


@pytest.fixture
def matrix(tmp_path: Path) -> Callable[..., Finished]:
    """Call ``fotabuild matrix`` for 4 old and 2 new images."""
    paths = [str(path) for path in images.write(tmp_path / "images", images.versions(6))]

    def run(*arguments: str, out: str = "out", cache: str = "cache") -> Finished:
        return run_fotabuild(
            *("--json", "matrix", "--old", *paths[:4], "--new", *paths[4:], "-o", out, *arguments),
            cwd=tmp_path,
            env={"FOTABUILD_CACHE_DIR": cache if cache == "off" else str(tmp_path / cache)},
        )

    return run


def counts(done: Finished) -> tuple[int, int, int]:
    assert done.status == 0, done.stderr
    values = json.loads(done.stdout)
    return values["computed"], values["made"], values["reused"]


def test_the_same_files_as_here(
    matrix: Callable[..., Finished], cluster: Cluster, tmp_path: Path
) -> None:
    assert counts(matrix(out="here", cache="one")) == (8, 8, 0)
    far = ("--scheduler", cluster.address)
    assert counts(matrix(*far, out="there", cache="two")) == (8, 8, 0)
    here, there = (
        {path.name: path.read_bytes() for path in (tmp_path / out).iterdir()}
        for out in ("here", "there")
    )
    assert len(here) == 16
    assert here == there
    assert counts(matrix(*far, out="there", cache="two")) == (0, 0, 8)
    # Without a cache of the user, results still arrive.
    assert counts(matrix(*far, out="again", cache="off")) == (8, 8, 0)
    assert not (tmp_path / "off").exists()
    assert {path.name: path.read_bytes() for path in (tmp_path / "again").iterdir()} == here


def test_a_wrong_patch_in_the_cache_heals(
    make_steps: MakeSteps, cache: ContentCache, cluster: Cluster
) -> None:
    steps = make_steps(2)
    work, _ = gather(steps)
    keep_patch(cache, work[0].key, make_patch(work[0].step.old_image.read_bytes(), b"wrong"))
    far = Workforce(1, scheduler=cluster.address, patience=60)
    assert [run_matrix(steps, cache, far).computed for _ in range(2)] == [2, 0]


def test_a_time_limit_holds_there_too(
    make_steps: MakeSteps, cache: ContentCache, cluster: Cluster
) -> None:
    steps = [step._replace(time_limit=1e-6) for step in make_steps(2)]
    far = Workforce(1, scheduler=cluster.address, patience=60)
    for _ in range(2):  # What was cut short is written, and not kept.
        result = run_matrix(steps, cache, far)
        assert [row.outcome.value for row in result.rows] == ["made"] * 2
        assert result.computed == 2
        assert all("the time limit" in row.warnings[0] for row in result.rows)
        for step in steps:
            assert apply_patch(step.old_image.read_bytes(), step.output.read_bytes()) == (
                step.new_image.read_bytes()
            )


TRANSFERS = """
import json, sys
from collections import Counter
from distributed import Client

def keys(dask_worker):
    return [str(key) for entry in dask_worker.transfer_incoming_log for key in entry["keys"]]

with Client(sys.argv[1], set_as_default=False) as client:
    found = client.run(keys)
print(json.dumps([Counter(k for k in one if "fotabuild-image" in k) for one in found.values()]))
"""


def test_images_travel_once_per_worker(matrix: Callable[..., Finished], tmp_path: Path) -> None:
    with Cluster(tmp_path) as own:
        assert counts(matrix("--scheduler", own.address))[0] == 8
        done = subprocess.run(
            [sys.executable, "-c", TRANSFERS, own.address],
            env=os.environ,
            capture_output=True,
            text=True,
            check=True,
        )
    transfers = json.loads(done.stdout)
    assert all(count == 1 for one in transfers for count in one.values())
    assert sum(map(len, transfers)) <= 6


def test_random_kills(tmp_path: Path, figure: Callable[[str], None]) -> None:
    """``benchmarks/matrix.py --kills 50`` does more of them."""
    done = subprocess.run(
        [sys.executable, "-m", f"{__package__}.cluster_kills", tmp_path, str(KILLS), "5"],
        cwd=ROOT,
        env=os.environ,
        capture_output=True,
        encoding="utf-8",
        timeout=400,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["wrong"] == []
    assert result["killed"] == {"worker": 2, "scheduler": 2, "client": 2}
    figure(f"cluster, killed {result['killed']}: 0 results lost or wrong")


def test_no_scheduler(matrix: Callable[..., Finished]) -> None:
    done = matrix("--scheduler", "tcp://127.0.0.1:9", "--patience", "1")
    assert done.status == 1
    assert done.stderr.splitlines()[-1].endswith("[FB1011]")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "address",
    [
        "nonsense://x:1",
        "inproc://x:1",
        "ucx://x:1",
        "127.0.0.1:8786",
        "tcp://x",
        "tcp://",
        "",
        "tls://127.0.0.1:9",
        "wss://127.0.0.1:9",
        "tcp://127.0.0.1:port",
        "tcp://[::1:9",
        "tcp://127.0.0.1:99999999",
    ],
)
def test_no_address(
    make_steps: MakeSteps, cache: ContentCache, address: str, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ClusterError):
        run_matrix(make_steps(1), cache, Workforce(scheduler=address, patience=1))
    assert capfd.readouterr().err == ""


def test_no_workers(matrix: Callable[..., Finished], tmp_path: Path) -> None:
    with Cluster(tmp_path, workers=0) as own:
        done = matrix("--scheduler", own.address, "--patience", "2")
    assert done.status == 1
    assert "waiting for one" in done.stderr
    assert "no worker made a patch for 2 seconds" in done.stderr


def test_without_the_extra(
    make_steps: MakeSteps, cache: ContentCache, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    with pytest.raises(ClusterError, match=r"fotabuild\[cluster\]"):
        run_matrix(make_steps(1), cache, Workforce(scheduler="tcp://127.0.0.1:9"))
