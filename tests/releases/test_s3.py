"""The store on a server that speaks S3, used from processes of their own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from ..command import Finished, run_fotabuild
from .conftest import BUCKET
from .samples import image

PROJECT = {
    "vendor": {"domain": "acme.example"},
    "device": {"model-name": "Toaster"},
    "payload": {"url": "https://acme.example/{file}"},
    "releases": {"store": f"s3://{BUCKET}/plan", "deltas": "all"},
}


@pytest.fixture
def call(tmp_path: Path, s3_environment: dict[str, str]) -> Any:
    for number in range(1, 7):
        (tmp_path / f"fw{number}.bin").write_bytes(image(number))

    def run(*arguments: str | Path) -> Finished:
        return run_fotabuild("release", *arguments, cwd=tmp_path, env=s3_environment)

    return run


def test_a_whole_life(call: Any, tmp_path: Path) -> None:
    place = ("--store", f"s3://{BUCKET}/life")
    for number in (1, 2):
        done = call("add", f"fw{number}.bin", "-v", f"1.{number}.0", *place)
        assert done.status == 0, done.stderr
    assert "was there already" in call("add", "fw1.bin", "-v", "1.1.0", *place).stderr
    refused = call("add", "fw2.bin", "-v", "1.1.0", *place)
    assert (refused.status, "[FB1002]" in refused.stderr) == (1, True)
    assert call("retire", "1.1.0", *place).status == 0
    assert [line.split()[1] for line in call("list", *place).stdout.splitlines()] == ["1.2.0"]
    assert call("verify", *place).status == 0
    done = call("fsck", *place)
    assert (done.status, done.stdout) == (0, "")
    assert "2 releases checked, 0 findings" in done.stderr


def test_four_writers_at_once(call: Any) -> None:
    """Each adds one release, and all the same version with another image."""
    place = ("--store", f"s3://{BUCKET}/crowd")

    def add(number: int) -> tuple[Finished, Finished]:
        own = call("add", f"fw{number}.bin", "-v", f"1.{number}.0", *place)
        return own, call("add", f"fw{number}.bin", "-v", "9.0.0", *place)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(add, range(1, 5)))
    assert [own.status for own, _ in done] == [0] * 4, done
    contested = [other for _, other in done]
    assert sorted(other.status for other in contested) == [0, 1, 1, 1]
    assert sum("[FB1002]" in other.stderr for other in contested) == 3
    report = call("fsck", *place)
    assert report.status == 0, report.stdout
    # The losers' images are those of their own releases: nothing is left over.
    assert "5 releases checked, 0 findings" in report.stderr


def test_builds_use_the_mirror(call: Any, tmp_path: Path, s3_environment: dict[str, str]) -> None:
    (tmp_path / "fotabuild.yaml").write_text(json.dumps(PROJECT))
    assert call("add", "fw1.bin", "-v", "1.0.0").status == 0
    plan = ("plan", "fw2.bin", "-v", "2.0.0", "-k", "none.pem")
    before = run_fotabuild(*plan, cwd=tmp_path)
    assert (before.status, "release pull" in before.stderr) == (1, True)
    assert call("pull").status == 0
    # No server is named here: a plan that used a network would fail.
    done = run_fotabuild(*plan, cwd=tmp_path)
    assert done.status == 0, done.stderr
    assert "delta:fw2-1.0.0-to-2.0.0.patch" in done.stdout
    assert f"depends on: {tmp_path}/.fotabuild/releases/index.json" in done.stdout


def test_a_server_that_is_away(tmp_path: Path, s3_environment: dict[str, str]) -> None:
    away = {**s3_environment, "AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_MAX_ATTEMPTS": "1"}
    done = run_fotabuild("release", "list", "--store", f"s3://{BUCKET}/x", cwd=tmp_path, env=away)
    assert done.status == 1
    assert done.stderr.count("\n") == 1
    assert "[FB1004]" in done.stderr
    assert s3_environment["AWS_SECRET_ACCESS_KEY"] not in done.stderr


def test_a_bucket_that_does_not_exist(tmp_path: Path, s3_environment: dict[str, str]) -> None:
    (tmp_path / "a.bin").write_bytes(b"image")
    done = run_fotabuild(
        *("release", "add", "a.bin", "-v", "1.0.0", "--store", "s3://no-such-bucket/x"),
        cwd=tmp_path,
        env=s3_environment,
    )
    assert (done.status, done.stderr.count("\n")) == (1, 1)
    assert "[FB1004]" in done.stderr


def test_start_up_does_not_import_what_urls_need() -> None:
    code = (
        "import sys, fotabuild.cli.main as m; m.make_parser('release');"
        "import fotabuild.releases.store, fotabuild.releases.places, fotabuild.plan.plan;"
        "print([n for n in ('fsspec', 's3fs', 'distributed', 'dask') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=os.environ
    )
    assert done.stdout == "[]\n"
