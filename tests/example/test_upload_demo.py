"""``make upload-demo``: what the README promises, with every program that it names."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from ..conftest import find_tool
from ..platformio.core_folder import make_core_folder, platformio_environment
from .builds import EXAMPLE

pytestmark = [pytest.mark.cmake, pytest.mark.platformio, pytest.mark.qemu]
_MODULES = {"fotabuild": "fotabuild", "scons": "SCons", "pio": "platformio"}
_NOTHING_LEFT = "left are 0 images, 0 manifests, 0 campaigns, 0 unfinished uploads"


def make_programs(folder: Path) -> None:
    """Write the programs as an installation has them beside its Python."""
    folder.mkdir()
    commands = {name: f"{sys.executable} -m {module}" for name, module in _MODULES.items()}
    commands["python"] = sys.executable
    commands |= {name: find_tool(name) or name for name in ("cmake", "ninja")}
    for name, command in commands.items():
        path = folder / name
        path.write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        path.chmod(0o755)


def test_each_build_system_updates_two_devices(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    left_out = shutil.ignore_patterns(
        "build", "keys", "releases", ".sconsign*", ".pio", "__pycache__"
    )
    shutil.copytree(EXAMPLE, tmp_path / "example", ignore=left_out)
    make_programs(tmp_path / "bin")
    make_core_folder(tmp_path / "core")
    done = subprocess.run(
        ["sh", "upload-demo.sh", tmp_path / "bin"],
        cwd=tmp_path / "example",
        env=platformio_environment(tmp_path / "core"),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    hosts = ("SCons", "CMake", "PlatformIO")
    for host in hosts:
        assert f"== {host}: {_NOTHING_LEFT}" in done.stdout
    updated = re.findall(r"^1\.0\.0 -> 1\.1\.0 UPD4_OK_100 delta, \d+ bytes$", done.stdout, re.M)
    assert len(updated) == 2 * len(hosts), done.stdout
    uart = done.stdout.partition("in QEMU\n")[2]
    assert uart.startswith("fotabuild example 1.1.0\n")
    figure(f"make upload-demo: {len(updated)} of 6 devices, the image of one booted in QEMU")
