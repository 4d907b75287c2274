from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Writer = Callable[[str], Path]


@pytest.fixture
def write(tmp_path: Path) -> Writer:
    """Write a ``fotabuild.yaml`` in a folder of its own and return its path."""

    def writer(text: str) -> Path:
        path = tmp_path / "project" / "fotabuild.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return path

    return writer
