from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from ..conftest import VECTORS
from .tools import Peer


@pytest.fixture(scope="session")
def peer() -> Iterator[Peer]:
    """The real tool."""
    running = Peer()
    yield running
    running.close()


@pytest.fixture
def work(tmp_path: Path) -> Path:
    """A copy of the golden inputs, in which commands of the index can be run."""
    for name in ("keys", "firmware", "delta", "package", "payload", "v1", "v3"):
        shutil.copytree(VECTORS / name, tmp_path / name)
    shutil.copytree(VECTORS / "dev-tool" / "cache", tmp_path / "dev-tool" / "cache")
    return tmp_path
