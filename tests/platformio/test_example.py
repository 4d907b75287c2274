"""The example's ``platformio.ini``: the commands that it documents, in a copy of the example."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from ..conftest import ROOT
from .core_folder import platformio_environment

pytestmark = [pytest.mark.platformio, pytest.mark.qemu]
EXAMPLE = ROOT / "examples" / "mbed-os"
MADE_HERE = shutil.ignore_patterns("build", "keys", "releases", ".pio", "__pycache__", ".scons*")
PROGRAMS = {"fotabuild": "fotabuild", "pio": "platformio"}


@pytest.fixture(scope="module")
def output(tmp_path_factory: pytest.TempPathFactory, core: Path) -> tuple[Path, str]:
    """Run the documented commands; return the folder and what they print."""
    folder = tmp_path_factory.mktemp("example") / "copy"
    shutil.copytree(EXAMPLE, folder, ignore=MADE_HERE)
    programs = folder.with_name("bin")
    programs.mkdir()
    for name, module in PROGRAMS.items():
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" -m {module} "$@"\n')
        (programs / name).chmod(0o755)
    environment = platformio_environment(core)
    environment["PATH"] = f"{programs}:{environment['PATH']}"
    done = subprocess.run(
        ["sh", "-e", "-c", "\n".join(documented_commands())],
        cwd=folder,
        env=environment,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done
    return folder, done.stdout


def documented_commands() -> list[str]:
    """Return the command lines at the top of ``platformio.ini``, without their comments."""
    lines = (EXAMPLE / "platformio.ini").read_text(encoding="utf-8").splitlines()
    return [line[4:].partition("  ")[0] for line in lines if line.startswith(";   ")]


def test_the_commands_are_found() -> None:
    commands = documented_commands()
    assert commands[0] == "fotabuild init --credentials-only ."
    assert [line for line in commands if line.startswith("pio ")] == [
        "pio run -e mps2-1_0_0",
        "pio run",
        "pio run -t update-verify",
        "pio run -t qemu",
    ]


def test_they_make_what_updates_the_release_in_the_field(output: tuple[Path, str]) -> None:
    folder = output[0] / ".pio" / "build" / "mps2" / "update"
    assert {path.name for path in folder.iterdir()} >= {
        "thermometer-1.0.0-to-1.1.0.manifest",
        "thermometer-1.0.0-to-1.1.0.patch",
        "thermometer-1.1.0.manifest",
        "thermometer-1.1.0.package.manifest",
    }


def test_they_verify_it(output: tuple[Path, str]) -> None:
    assert "accepted: thermometer-1.0.0-to-1.1.0.manifest" in output[1]


def test_the_firmware_runs_in_the_emulator(output: tuple[Path, str]) -> None:
    assert "fotabuild example 1.1.0\n" in output[1]
