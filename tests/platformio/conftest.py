"""A core folder without a registry, and a project that is built once and then restored."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.credentials import NewProject, create_project

from .core_folder import make_core_folder
from .project import Project, sources


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a PlatformIO core folder."""
    folder = tmp_path_factory.mktemp("core")
    make_core_folder(folder)
    return folder


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory, core: Path) -> Project:
    """Return the sources of a project with credentials; nothing is built in it."""
    project = Project(tmp_path_factory.mktemp("template"), core)
    for name, text in sources().items():
        project.write(name, text)
    create_project(NewProject(folder=project.folder, credentials_only=True))
    return project


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where every project of the tests lies.

    PlatformIO empties the build folder of a project that was moved. The name is a hard one.
    """
    return tmp_path_factory.mktemp("place") / "Prüf stand, 2 €"


@pytest.fixture(scope="session")
def first_build(template: Project, place: Path) -> tuple[Project, list[str]]:
    """Build the project once; return a copy of it, and what the build said it makes."""
    project = template.copy_to(place)
    made = project.run("-j", "4")
    return project.copy_to(place.with_name("built")), made


@pytest.fixture
def project(template: Project, place: Path) -> Project:
    """Return the project, not yet built."""
    return template.copy_to(place)


@pytest.fixture
def built(first_build: tuple[Project, list[str]], place: Path) -> Project:
    """Return the built project."""
    return first_build[0].copy_to(place)
