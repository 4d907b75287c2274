"""Fixtures of the tests of bad input."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from fotabuild.config.fields import project_fields

from .case import BASE


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    """Take settings of the developer's own environment away."""
    for field in project_fields():
        monkeypatch.delenv(field.variable, raising=False)
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    return monkeypatch


@pytest.fixture
def base(tmp_path: Path, clean: pytest.MonkeyPatch) -> Path:
    """A copy of the common good files, as the current folder."""
    shutil.copytree(BASE, tmp_path, dirs_exist_ok=True)
    clean.chdir(tmp_path)
    return tmp_path
