"""Writers that are killed anywhere, and many writers at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from ..conftest import ROOT
from .conftest import BUCKET


def run(mode: str, place: object, environment: Mapping[str, str] = {}) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-B", "-m", f"{__package__}.killed_writers", mode, str(place)],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    result: dict[str, Any] = json.loads(done.stdout)
    return result


def test_killed_at_every_operation(tmp_path: Path, figure: Callable[[str], None]) -> None:
    result = run("every-operation", tmp_path)
    assert not result["bad"], "\n".join(result["bad"])
    assert result["points"] > 50
    assert {"write", "rename", "make folder"} <= set(result["kinds"])
    figure(f"release store, writer killed: 0 bad of {result['points']} points")


@pytest.mark.parametrize("place", ["in-a-folder", "at-a-url"])
def test_eight_writers_at_once(
    place: str, request: pytest.FixtureRequest, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    if place == "in-a-folder":
        result = run(place, tmp_path)
    else:
        environment = request.getfixturevalue("s3_environment")
        result = run(place, f"s3://{BUCKET}/together", environment)
    assert not result["bad"], "\n".join(result["bad"])
    assert result["lost"] == 0
    assert result["killed"] > 0
    figure(
        f"release store {place}, 8 writers, {result['rounds']} rounds, {result['killed']} killed: "
        f"{result['lost']} releases lost"
    )
