"""The same image gives the same artifacts with CMake, with SCons, and with the command line."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ..command import run_fotabuild
from .program import Generator, cmake_environment
from .project import COUNT, Project

pytestmark = [pytest.mark.cmake, pytest.mark.cc]

SCONSTRUCT = """\
import fotabuild.scons
env = Environment(
    tools=[fotabuild.scons.generate], FOTAVERSION="1.1.0", FOTASETTINGS={{"priority": "1"}}
)
env.FotaUpdate(env.File({image!r}), folder="update", name="app")
"""


def test_the_same_bytes_everywhere(
    project: Callable[..., Project], generator: Generator, tmp_path: Path
) -> None:
    built = project(generator).configured()
    built.made()
    artifacts = built.artifacts()
    assert len(artifacts) == COUNT

    arguments = ("build", built.program, "--fw-version", "1.1.0", "--name", "app")
    options = ("--build-setting", "priority=1", "--output-dir", tmp_path / "one")
    done = run_fotabuild(*arguments, *options, cwd=built.folder, env={"PYTHONHASHSEED": "1"})
    assert done.status == 0, done
    assert _files(tmp_path / "one") == artifacts

    built.write("SConstruct", SCONSTRUCT.format(image=str(built.program)))
    subprocess.run(
        [sys.executable, "-m", "SCons", "-Q"],
        cwd=built.folder,
        env=cmake_environment(),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    assert _files(built.path("update")) == artifacts


def _files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}
