"""A build made once, and a copy of it for each test that changes something."""

from __future__ import annotations

from pathlib import Path

import pytest

from .scene import Built, build, copy_of


@pytest.fixture(scope="session")
def pristine(tmp_path_factory: pytest.TempPathFactory) -> Built:
    return build(tmp_path_factory.mktemp("built"))


@pytest.fixture
def built(pristine: Built, tmp_path: Path) -> Built:
    return copy_of(pristine, tmp_path / "project")
