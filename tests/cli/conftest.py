from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from fotabuild.cli.main import main

from ..command import Finished
from . import sample

Tree = dict[str, tuple[bytes, int]]


@dataclass(frozen=True)
class Cli:
    """The command line, called in a project folder of its own."""

    folder: Path
    _capture: pytest.CaptureFixture[str]

    def __call__(self, *arguments: str | Path) -> Finished:
        self._capture.readouterr()
        status = main([str(argument) for argument in arguments])
        captured = self._capture.readouterr()
        assert isinstance(status, int)
        return Finished(int(status), captured.out, captured.err)

    def good(self, *arguments: str | Path) -> Finished:
        """Call, and expect success."""
        done = self(*arguments)
        assert done.status == 0, done.stderr
        return done

    def json(self, *arguments: str | Path) -> dict[str, Any]:
        """Call with ``--json``, expect success, return the one object on stdout."""
        values = json.loads(self.good("--json", *arguments).stdout)
        assert isinstance(values, dict)
        return values

    def tree(self) -> Tree:
        """Content and date of every file in the project."""
        files = sorted(path for path in self.folder.rglob("*") if path.is_file())
        return {
            str(path.relative_to(self.folder)): (path.read_bytes(), path.stat().st_mtime_ns)
            for path in files
        }


@pytest.fixture(scope="session")
def sample_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with one of each artifact; made once, copied for each test."""
    folder = tmp_path_factory.mktemp("sample") / "project"
    sample.write(folder)
    return folder


@pytest.fixture
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without settings of the developer who runs the tests."""
    for name in list(os.environ):
        if name.startswith("FOTABUILD_") or name == "SOURCE_DATE_EPOCH":
            monkeypatch.delenv(name)
    monkeypatch.setenv("FOTABUILD_CACHE_DIR", "off")


MakeCli = Callable[[Path], Cli]


@pytest.fixture
def cli_in(
    clean_environment: None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> MakeCli:
    """The command line in a folder that the test chooses."""

    def make(folder: Path) -> Cli:
        monkeypatch.chdir(folder)
        return Cli(folder, capsys)

    return make


@pytest.fixture
def cli(cli_in: MakeCli, sample_project: Path, tmp_path: Path) -> Cli:
    """The command line in a copy of the sample project."""
    shutil.copytree(sample_project, tmp_path / "project")
    return cli_in(tmp_path / "project")


@pytest.fixture
def look(cli_in: MakeCli, sample_project: Path) -> Iterator[Cli]:
    """The command line in the sample project itself, for calls that write nothing."""
    cli = cli_in(sample_project)
    before = cli.tree()
    yield cli
    assert cli.tree() == before
