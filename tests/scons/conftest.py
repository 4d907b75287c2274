"""Projects: sources and credentials are made once, then copied."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.credentials import NewProject, create_project

from .project import Project, sources, write_tree
from .sconstructs import WHOLE


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with sources and credentials, and without a ``SConstruct``."""
    folder = tmp_path_factory.mktemp("template")
    write_tree(folder, sources())
    create_project(NewProject(folder=folder, credentials_only=True))
    return folder


@pytest.fixture
def project(template: Path, tmp_path: Path) -> Callable[..., Project]:
    """Return a function that copies the project and gives it a ``SConstruct``."""

    def copy(sconstruct: str = WHOLE, name: str = "project") -> Project:
        made = Project(template).copy_to(tmp_path / name)
        made.write("SConstruct", sconstruct)
        return made

    return copy
