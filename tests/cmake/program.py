"""The CMake under test, its generators, and runs of it."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from ..command import Finished
from ..conftest import find_tool

GENERATORS = ("Ninja", "Unix Makefiles", "Ninja Multi-Config")
_DROPPED = (
    "DESTDIR",
    "MAKEFLAGS",
    "MAKELEVEL",
    "MFLAGS",
    "NINJA_STATUS",
    "SOURCE_DATE_EPOCH",
    "VERBOSE",
)


@functools.cache
def cmake_program() -> str:
    """Return the CMake under test; ``FOTABUILD_CMAKE`` chooses it."""
    if chosen := os.environ.get("FOTABUILD_CMAKE"):
        return chosen
    # What pip puts beside Python is a script that starts the program; the program is quicker.
    package = importlib.util.find_spec("cmake")
    if package is not None and package.origin is not None:
        program = Path(package.origin).with_name("data") / "bin" / "cmake"
        if program.is_file():
            return str(program)
    found = find_tool("cmake")
    assert found is not None
    return found


@functools.cache
def cmake_version() -> tuple[int, ...]:
    """Return the version of the CMake under test."""
    done = subprocess.run(
        [cmake_program(), "--version"], capture_output=True, encoding="utf-8", check=True
    )
    return tuple(int(part) for part in done.stdout.split()[2].split("-")[0].split(".")[:2])


def cmake_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of a run: nothing of the caller's build leaks into it."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name == "FOTABUILD_CACHE_DIR"
        or (name not in _DROPPED and not name.startswith(("FOTABUILD_", "CMAKE_", "FotaBuild_")))
    }
    compiler = shutil.which("cc") or f"{sys.executable} -m ziglang cc"
    return {**kept, "CC": compiler, **(extra or {})}


def run_cmake(
    *arguments: str | Path,
    cwd: Path,
    env: Mapping[str, str] | None = None,
    wrapper: Iterable[str] = (),
) -> Finished:
    """Run CMake; ``wrapper`` is a command line that starts another."""
    done = subprocess.run(
        [*wrapper, cmake_program(), *map(str, arguments)],
        cwd=cwd,
        env=cmake_environment(env),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)


@dataclass(frozen=True)
class Generator:
    """A generator of CMake, by its name there."""

    name: str

    @property
    def is_ninja(self) -> bool:
        """Whether Ninja builds, which looks at dates again after a command."""
        return self.name.startswith("Ninja")

    @property
    def is_multi(self) -> bool:
        """Whether it has several build configurations in one tree."""
        return self.name.endswith("Multi-Config")

    @property
    def config_folder(self) -> str:
        """The folder of the default build configuration, with a slash, in output folders."""
        return "Debug/" if self.is_multi else ""

    def options(self, python: str | Path = sys.executable) -> tuple[str, ...]:
        """Return the options that choose it, and the Python that has fotabuild."""
        ninja = (f"-DCMAKE_MAKE_PROGRAM={find_tool('ninja')}",) if self.is_ninja else ()
        answers = Path(__file__).with_name("compiler.cmake")
        return (
            f"-G{self.name}",
            f"-C{answers}",
            *ninja,
            f"-DFOTABUILD_PYTHON_EXECUTABLE={python}",
        )
