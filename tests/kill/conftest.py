"""The project that is built, and the program that interrupts its builds."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from fotabuild.credentials import NewProject, create_project

from ..conftest import ROOT
from ..scons.project import sources, write_tree


@pytest.fixture(scope="session")
def firmware_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a project with two firmware images that makes every kind of artifact."""
    folder = tmp_path_factory.mktemp("project")
    files = sources()
    files["app.bin"] = files["releases/app-1.0.0.bin"] + b" and the humidity"
    files["other.bin"] = files["releases/app-1.0.0.bin"] + b" and something else"
    write_tree(folder, files)
    create_project(NewProject(folder=folder, credentials_only=True))
    return folder


@pytest.fixture
def quick_folder(tmp_path: Path) -> Iterator[Path]:
    """Return an empty folder for hundreds of builds, in memory where the system offers that."""
    memory = Path("/dev/shm")
    if not os.access(memory, os.W_OK):
        yield tmp_path
        return
    with tempfile.TemporaryDirectory(dir=memory) as name:
        yield Path(name)


@pytest.fixture
def harness(
    firmware_project: Path, quick_folder: Path, figure: Callable[[str], None]
) -> Callable[[str], dict[str, Any]]:
    """Return a function that runs a mode of the harness and returns its result."""

    def run(mode: str) -> dict[str, Any]:
        done = subprocess.run(
            [
                sys.executable,
                "-B",
                "-m",
                f"{__package__}.harness",
                mode,
                firmware_project,
                quick_folder,
            ],
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
        if "bad" in result:
            figure(f"builds, {mode}: {len(result['bad'])} bad of {result['points']} points")
        return result

    return run
