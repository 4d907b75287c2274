"""Real builds of the example: release 1.0.0, kept as in the field, then 1.1.0 with its delta."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ..conftest import ROOT

EXAMPLE = ROOT / "examples" / "mbed-os"
GCC = "arm-none-eabi-gcc"
# Without a toolchain the build itself says what is missing.
TOOLCHAINS = [
    *([GCC] if shutil.which(GCC) else []),
    *(["ziglang"] if importlib.util.find_spec("ziglang") else []),
] or ["none"]


@dataclass(frozen=True)
class Firmware:
    """The example built with one toolchain.

    Attributes:
        folder: the copy of the example.
        toolchain: the compiler that built it.
    """

    folder: Path
    toolchain: str

    def artifact(self, name: str) -> Path:
        """A file of ``build/update``, without the common beginning of its name."""
        return self.folder / "build" / "update" / f"thermometer-{name}"

    @property
    def old(self) -> bytes:
        """The image of release 1.0.0."""
        return (self.folder / "releases" / "thermometer-1.0.0.bin").read_bytes()

    @property
    def new(self) -> bytes:
        """The image of 1.1.0."""
        return self.artifact("1.1.0.bin").read_bytes()

    def elf(self, version: str) -> Path:
        """The linked firmware."""
        return self.folder / "build" / version / "thermometer.elf"


def build_example(folder: Path, toolchain: str) -> Firmware:
    """Do what ``make demo`` does, in ``folder``."""
    left_out = shutil.ignore_patterns(
        "build", "keys", "releases", ".sconsign*", ".pio", "__pycache__"
    )
    shutil.copytree(EXAMPLE, folder, ignore=left_out)
    environment = _environment(folder, toolchain)
    _run(folder, environment, "fotabuild", "init", "--credentials-only", ".")
    _run(folder, environment, "SCons", "-Q", "VERSION=1.0.0")
    firmware = Firmware(folder, toolchain)
    (folder / "releases").mkdir()
    shutil.copy(firmware.artifact("1.0.0.bin"), folder / "releases")
    _run(folder, environment, "SCons", "-Q", "VERSION=1.1.0")
    return firmware


def _environment(folder: Path, toolchain: str) -> dict[str, str]:
    """The toolchain is chosen by what is on PATH; SCons itself needs nothing but a shell there."""
    environment = dict(os.environ)
    if toolchain != GCC:
        programs = folder / "build" / "path"
        programs.mkdir(parents=True)
        (programs / "sh").symlink_to(shutil.which("sh") or "/bin/sh")
        environment["PATH"] = str(programs)
    return environment


def _run(folder: Path, environment: dict[str, str], module: str, *arguments: str) -> None:
    command = [sys.executable, "-m", module, *arguments]
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
