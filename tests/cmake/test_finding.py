"""How find_package finds the package, and which Python it chooses."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import fotabuild

from ..command import Finished
from ..conftest import find_tool
from .program import Generator, cmake_environment, run_cmake
from .project import Project

pytestmark = [pytest.mark.cmake, pytest.mark.cc]

FIND = """\
cmake_minimum_required(VERSION 3.18...4.0)
project(app LANGUAGES NONE)
set(Python3_EXECUTABLE /nonexistent/python)
find_package(FotaBuild 0.1 CONFIG REQUIRED)
message("found with ${FOTABUILD_PYTHON_EXECUTABLE}")
message("command ${FOTABUILD_COMMAND}")
"""


@pytest.fixture
def search(tmp_path: Path) -> Callable[..., Finished]:
    """Return a function that configures a project which looks for the package."""
    (tmp_path / "source").mkdir()
    (tmp_path / "source" / "CMakeLists.txt").write_text(FIND, encoding="utf-8")

    def run(*options: str, path: str | Path | None = None) -> Finished:
        ninja = f"-DCMAKE_MAKE_PROGRAM={find_tool('ninja')}"
        arguments = ("-S", tmp_path / "source", "-B", tmp_path / "build", "-GNinja", ninja)
        env = {"PATH": os.pathsep.join(filter(None, (str(path or ""), os.environ["PATH"])))}
        return run_cmake(*arguments, *options, cwd=tmp_path, env=env)

    return run


@pytest.fixture
def environment(tmp_path: Path, package: Path) -> Path:
    """Return an environment as a wheel leaves it: fotabuild, and the CMake package as data."""
    folder = tmp_path / "environment"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (site_packages,) = folder.glob("lib/python*/site-packages")
    paths = [path for path in sys.path if path and Path(path).is_dir()]
    (site_packages / "fotabuild.pth").write_text("\n".join(paths), encoding="utf-8")
    shutil.copytree(package, folder / "share" / "cmake" / "FotaBuild")
    return folder


def test_in_an_activated_environment_without_options(
    search: Callable[..., Finished], environment: Path
) -> None:
    done = search(path=environment / "bin")
    python = environment / "bin" / "python3"
    assert done.stderr.splitlines() == [
        f"found with {python}",
        f"command {python};-m;fotabuild",
    ]
    assert done.status == 0


@pytest.mark.parametrize("place", ["data of the wheel", "package"])
def test_the_interpreter_beside_the_package_comes_first(
    search: Callable[..., Finished], environment: Path, place: str
) -> None:
    folder = environment / "share" / "cmake" / "FotaBuild"
    if place == "package":
        (site_packages,) = environment.glob("lib/python*/site-packages")
        inside = site_packages / "fotabuild" / "share" / "cmake" / "FotaBuild"
        inside.parent.mkdir(parents=True)
        folder = folder.rename(inside)
    # The environment is not activated; whatever else has a python3 does not count.
    done = search(f"-DFotaBuild_DIR={folder}", f"-DCMAKE_PREFIX_PATH={sys.prefix}")
    assert f"found with {environment}/bin/python3\n" in done.stderr


def test_a_package_that_lies_elsewhere_takes_python_from_the_path(
    search: Callable[..., Finished], environment: Path, package: Path
) -> None:
    # As from an editable installation.
    done = search(f"-DFotaBuild_DIR={package}", path=environment / "bin")
    assert f"found with {environment}/bin/python3\n" in done.stderr


def test_an_interpreter_that_was_found_in_vain_is_forgotten(
    search: Callable[..., Finished], environment: Path, package: Path, tmp_path: Path
) -> None:
    (tmp_path / "wrong").mkdir()
    (tmp_path / "wrong" / "python3").symlink_to(shutil.which("false") or "")
    done = search(f"-DFotaBuild_DIR={package}", path=tmp_path / "wrong")
    assert f"'{tmp_path}/wrong/python3' does not run fotabuild." in _unwrapped(done.stderr)
    done = search(path=environment / "bin")
    assert f"found with {environment}/bin/python3\n" in done.stderr


def test_a_given_interpreter_wins(
    search: Callable[..., Finished], environment: Path, package: Path
) -> None:
    inside = environment / "share" / "cmake" / "FotaBuild"
    given = f"-DFOTABUILD_PYTHON_EXECUTABLE={sys.executable}"
    done = search(f"-DFotaBuild_DIR={inside}", given, path=environment / "bin")
    assert f"found with {sys.executable}\n" in done.stderr


def test_a_toolchain_that_looks_in_its_own_root_only(
    search: Callable[..., Finished], environment: Path, tmp_path: Path
) -> None:
    toolchain = tmp_path / "toolchain.cmake"
    toolchain.write_text(
        "set(CMAKE_SYSTEM_NAME Generic)\n"
        f"set(CMAKE_FIND_ROOT_PATH {tmp_path}/root)\n"
        + "".join(
            f"set(CMAKE_FIND_ROOT_PATH_MODE_{kind} ONLY)\n"
            for kind in ("PACKAGE", "PROGRAM", "INCLUDE", "LIBRARY")
        ),
        encoding="utf-8",
    )
    (tmp_path / "root").mkdir()
    option = f"-DCMAKE_TOOLCHAIN_FILE={toolchain}"
    done = search(option, path=environment / "bin")
    assert done.status != 0
    inside = f"-DFotaBuild_DIR={environment}/share/cmake/FotaBuild"
    done = search(option, inside, path=environment / "bin")
    assert f"found with {environment}/bin/python3\n" in done.stderr
    assert done.status == 0


def test_an_interpreter_without_fotabuild(
    search: Callable[..., Finished], environment: Path, package: Path
) -> None:
    (pth,) = environment.glob("lib/python*/site-packages/fotabuild.pth")
    hidden = pth.rename(pth.with_suffix(".hidden"))
    option = f"-DFotaBuild_DIR={environment}/share/cmake/FotaBuild"
    environ = {**cmake_environment(), "PYTHONPATH": ""}
    arguments = ("-S", "source", "-B", "build", "-GUnix Makefiles", option)
    done = run_cmake(*arguments, cwd=environment.parent, env=environ)
    assert done.status != 0
    python = environment / "bin" / "python3"
    assert f'"{python}" -m pip install fotabuild' in _unwrapped(done.stderr)
    assert "-DFOTABUILD_PYTHON_EXECUTABLE=<python>" in _unwrapped(done.stderr)

    # Installed in the meantime: the same call succeeds.
    hidden.rename(pth)
    done = run_cmake(*arguments, cwd=environment.parent, env=environ)
    assert (done.status, done.stderr.splitlines()[0]) == (0, f"found with {python}")


def test_no_interpreter_at_all(package: Path, tmp_path: Path) -> None:
    (tmp_path / "CMakeLists.txt").write_text(FIND, encoding="utf-8")
    ninja = f"-DCMAKE_MAKE_PROGRAM={find_tool('ninja')}"
    arguments = ("-S", tmp_path, "-B", tmp_path / "build", "-GNinja", ninja)
    # CMake looks in the system's folders beside PATH.
    options = (f"-DFotaBuild_DIR={package}", "-DCMAKE_FIND_USE_CMAKE_SYSTEM_PATH=FALSE")
    done = run_cmake(*arguments, *options, cwd=tmp_path, env={"PATH": str(tmp_path)})
    assert done.status != 0
    assert "There is no Python on PATH." in _unwrapped(done.stderr)


def test_cmake_that_is_too_old(package: Path, tmp_path: Path) -> None:
    script = tmp_path / "old.cmake"
    script.write_text(
        f'set(CMAKE_VERSION 3.19.8)\ninclude("{package}/FotaBuildConfig.cmake")\n'
        'message("${FotaBuild_FOUND}: ${FotaBuild_NOT_FOUND_MESSAGE}")\n',
        encoding="utf-8",
    )
    done = run_cmake("-P", script, cwd=tmp_path)
    assert done.stderr == "FALSE: fotabuild needs CMake 3.20 or newer, this is 3.19.8\n"


@pytest.mark.parametrize(("wanted", "found"), [("0.1", True), ("0", True), ("1.0", False)])
def test_versions(
    search: Callable[..., Finished], package: Path, tmp_path: Path, wanted: str, found: bool
) -> None:
    lists = tmp_path / "source" / "CMakeLists.txt"
    lists.write_text(FIND.replace("FotaBuild 0.1", f"FotaBuild {wanted}"), encoding="utf-8")
    python = f"-DFOTABUILD_PYTHON_EXECUTABLE={sys.executable}"
    # The word size of the target does not matter, there is nothing compiled in the package.
    done = search(f"-DFotaBuild_DIR={package}", python, "-DCMAKE_SIZEOF_VOID_P=2")
    assert (done.status == 0) == found
    if not found:
        assert f"{fotabuild.__version__}" in done.stderr


def test_the_interpreter_is_tested_once(project: Callable[..., Project], tmp_path: Path) -> None:
    log = tmp_path / "log"
    python = tmp_path / "python"
    python.write_text(f'#!/bin/sh\necho "$1 $2" >>"{log}"\nexec "{sys.executable}" "$@"\n')
    python.chmod(0o755)
    built = project(Generator("Ninja"))
    built.configured(f"-DFOTABUILD_PYTHON_EXECUTABLE={python}")
    first = log.read_text().splitlines()
    log.unlink()
    built.configured(f"-DFOTABUILD_PYTHON_EXECUTABLE={python}")
    assert log.read_text().splitlines() == ["-m fotabuild"]
    assert first == ["-c import fotabuild.cli.main; print(fotabuild.__path__[0])", "-m fotabuild"]


def _unwrapped(text: str) -> str:
    return re.sub(r"\s+", " ", text)
