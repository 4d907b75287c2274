"""The three build systems, each with a small firmware project whose release is in the field."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from fotabuild.credentials import NewProject, create_project

from ..cmake import project as cmake_project
from ..cmake.program import Generator, cmake_environment, cmake_program
from ..platformio import project as platformio_project
from ..platformio.core_folder import make_core_folder, platformio_environment
from ..scons import project as scons_project
from ..scons.project import scons_environment
from ..scons.sconstructs import WHOLE
from .server import wait_until

_TIMEOUT = 180


@dataclass(frozen=True)
class Host:
    """A build system with a project.

    Attributes:
        name: of the build system.
        folder: the project.
        command: builds what is missing, and uploads.
        environment: of the command, with the server's.
        source: a file of the firmware.
        text: text in it, which may be changed.
    """

    name: str
    folder: Path
    command: tuple[str, ...]
    environment: dict[str, str]
    source: str
    text: str

    @property
    def release(self) -> Path:
        """The image in the field."""
        return self.folder / "releases" / "app-1.0.0.bin"

    def change_the_source(self) -> None:
        """Edit the firmware."""
        path = self.folder / self.source
        text = path.read_text(encoding="utf-8")
        assert text.count(self.text) == 1
        path.write_text(text.replace(self.text, "twice a minute"), encoding="utf-8")

    def start(self) -> subprocess.Popen[str]:
        """Start the upload as the only job of a terminal: in a process group of its own."""
        return subprocess.Popen(
            self.command,
            cwd=self.folder,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            start_new_session=True,
        )

    def upload(self) -> tuple[int, str]:
        """Upload; return status and output."""
        process = self.start()
        try:
            output, _ = process.communicate(timeout=_TIMEOUT)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise
        return process.returncode, output


def press_ctrl_c(process: subprocess.Popen[str]) -> str:
    """Do what a terminal does, and wait until every process of the job has ended."""
    os.killpg(process.pid, signal.SIGINT)
    output, _ = process.communicate(timeout=_TIMEOUT)
    wait_until(lambda: not _exists(process.pid), "all processes of the build have ended")
    return output


def _exists(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def make_scons(folder: Path, server: dict[str, str], *options: str) -> Host:
    """A project for SCons."""
    scons_project.write_tree(folder, scons_project.sources() | {"SConstruct": WHOLE.encode()})
    create_project(NewProject(folder=folder, credentials_only=True))
    command = (sys.executable, "-B", "-m", "SCons", "-Q", *options, "upload-update")
    return Host("SCons", folder, command, scons_environment(server), "app.txt", "every minute")


def make_cmake(folder: Path, server: dict[str, str], generator: str, package: Path) -> Host:
    """A project for CMake, configured."""
    cmake_project.write_tree(folder, cmake_project.program_sources())
    create_project(NewProject(folder=folder, credentials_only=True))
    made = cmake_project.Project(folder, folder / "build", Generator(generator), package)
    made.configured(env=server)
    command = (cmake_program(), "--build", "build", "--target", "app-upload-update")
    return Host(
        f"CMake, {generator}", folder, command, cmake_environment(server), "text.c", "every minute"
    )


def make_platformio(folder: Path, server: dict[str, str], target: str) -> Host:
    """A project for PlatformIO."""
    core = folder.with_name("core")
    make_core_folder(core)
    made = platformio_project.Project(folder, core)
    for name, text in platformio_project.sources().items():
        made.write(name, text)
    create_project(NewProject(folder=folder, credentials_only=True))
    # A program in the field that a small delta leads from, as in life.
    made.option("[env:field]", "extends = env:device", "custom_fotabuild_version = 1.0.0")
    done = made.pio("run", "-e", "field")
    assert done.status == 0, done
    image = folder / ".pio" / "build" / "field" / "update" / "app-1.0.0.bin"
    shutil.copy(image, folder / "releases")
    command = (sys.executable, "-m", "platformio", "run", "-e", "device", "-t", target)
    environment = platformio_environment(core, server)
    return Host("PlatformIO", folder, command, environment, "src/main.c", "once a minute")
