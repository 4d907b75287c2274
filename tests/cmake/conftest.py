"""The installed package, and projects: sources and credentials are made once, then copied."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.credentials import NewProject, create_project

from ..conftest import ROOT
from .program import GENERATORS, Generator, run_cmake
from .project import Project, program_sources, write_tree


@pytest.fixture(scope="session")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the CMake package as ``setup.py`` does, and return its folder."""
    folder = tmp_path_factory.mktemp("package")
    arguments = ("-S", ROOT / "plugins" / "cmake", "-B", folder / "build")
    prefix = folder / "prefix"
    for step in (
        (*arguments, "-GUnix Makefiles", f"-DCMAKE_INSTALL_PREFIX={prefix}"),
        ("--install", folder / "build"),
    ):
        done = run_cmake(*step, cwd=folder)
        assert (done.status, done.stderr) == (0, ""), done
    return prefix


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with sources and credentials."""
    folder = tmp_path_factory.mktemp("template")
    write_tree(folder, program_sources())
    create_project(NewProject(folder=folder, credentials_only=True))
    return folder


@pytest.fixture(params=GENERATORS)
def generator(request: pytest.FixtureRequest) -> Generator:
    """Return each generator in turn."""
    return Generator(request.param)


@pytest.fixture
def project(template: Path, package: Path, tmp_path: Path) -> Callable[..., Project]:
    """Return a function that copies the project."""

    def copy(generator: Generator = Generator("Ninja"), name: str = "project") -> Project:  # noqa: B008
        folder = tmp_path / name
        shutil.copytree(template, folder)
        return Project(folder, tmp_path / f"{name} build", generator, package)

    return copy
