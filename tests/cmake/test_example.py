"""The example firmware, built for its board with both toolchains."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest

from fotabuild.credentials import NewProject, create_project

from ..command import run_fotabuild
from ..conftest import ROOT, find_tool
from .program import run_cmake

pytestmark = [pytest.mark.cmake, pytest.mark.cc]

VERSIONS = ("1.0.0", "1.1.0")
# zig is installed with what the tests need.
TOOLCHAINS = ("zig", *filter(shutil.which, ["arm-none-eabi-gcc"]))


def _example(folder: Path) -> Path:
    """Copy the example, without what builds left there, and make its credentials."""
    ignored = shutil.ignore_patterns("build", "keys", "releases", ".*", "__pycache__")
    shutil.copytree(ROOT / "examples" / "mbed-os", folder, ignore=ignored)
    create_project(NewProject(folder=folder, credentials_only=True))
    return folder


@pytest.mark.parametrize("toolchain", TOOLCHAINS)
def test_two_releases(toolchain: str, package: Path, tmp_path: Path) -> None:
    example = _example(tmp_path / "example")
    # Without the system's programs, and so without its Arm GCC, there is still what pip installs.
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("python3", "python"):
        script = f'#!/bin/sh\nexec "{sys.executable}" "$@"\n'
        (tools / name).write_text(script, encoding="utf-8")
        (tools / name).chmod(0o755)
    env = {"PATH": str(tools) if toolchain == "zig" else os.environ["PATH"]}
    build = tmp_path / "build"
    options = (
        "-GNinja",
        f"-DCMAKE_MAKE_PROGRAM={find_tool('ninja')}",
        "-DCMAKE_TOOLCHAIN_FILE=board/mps2-an386/toolchain.cmake",
        f"-DFotaBuild_DIR={package}",
        f"-DFOTABUILD_PYTHON_EXECUTABLE={sys.executable}",
    )
    for version in VERSIONS:
        # Each build is new, as for each release.
        shutil.rmtree(build, ignore_errors=True)
        setting = f"-DAPP_VERSION={version}"
        done = run_cmake("-S", example, "-B", build, *options, setting, cwd=example, env=env)
        assert (done.status, done.stderr) == (0, ""), done
        done = run_cmake("--build", build, cwd=example, env=env)
        assert done.status == 0, done
        if version == VERSIONS[0]:
            (example / "releases").mkdir()
            shutil.copy(build / "update" / "thermometer-1.0.0.bin", example / "releases")
    done = run_cmake("--build", build, cwd=example, env=env)
    assert done.stdout == "ninja: no work to do.\n"

    compiler = next(
        line for line in (build / "CMakeCache.txt").read_text().splitlines() if "ARM_GCC" in line
    )
    assert compiler.endswith("NOTFOUND") == (toolchain == "zig")
    stem = build / "update" / "thermometer-1.0.0-to-1.1.0"
    done = run_fotabuild(
        *("manifest", "verify", f"{stem}.manifest", "--payload", f"{stem}.patch"),
        *("--installed-image", "releases/thermometer-1.0.0.bin", "--installed-version", "1.0.0"),
        cwd=example,
    )
    assert done.status == 0, done
    assert "accepted" in done.stderr
