"""Writers that are killed anywhere, and many writers at once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ..conftest import ROOT


def run(mode: str, folder: Path) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-B", "-m", f"{__package__}.killed_writers", mode, folder],
        cwd=ROOT,
        env=os.environ,
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


def test_eight_writers_at_once(tmp_path: Path, figure: Callable[[str], None]) -> None:
    result = run("together", tmp_path)
    assert not result["bad"], "\n".join(result["bad"])
    assert result["lost"] == 0
    assert result["killed"] > 0
    figure(
        f"release store, 8 writers, {result['rounds']} rounds, {result['killed']} killed: "
        f"{result['lost']} releases lost"
    )
