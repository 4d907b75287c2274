"""The original names are taken only where nobody has them."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from fotabuild.cli.dropin.install import entry_point


def test_programs_run_under_the_original_names(tmp_path: Path) -> None:
    assert entry_point([str(tmp_path)]) == 0
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == [
        "manifest-delta-tool",
        "manifest-dev-tool",
        "manifest-package-tool",
        "manifest-tool",
        "suit-tool",
    ]
    done = subprocess.run(
        [tmp_path / "manifest-tool", "--version"],
        capture_output=True,
        text=True,
        env={**os.environ},
        timeout=60,
        check=False,
    )
    assert (done.returncode, done.stdout) == (0, "Manifest-Tool version 2.6.2\n")
    assert entry_point([str(tmp_path)]) == 0


def test_another_program_stays(tmp_path: Path) -> None:
    other = tmp_path / "manifest-dev-tool"
    other.write_bytes(b"#!/bin/sh\n")
    assert entry_point([str(tmp_path)]) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["manifest-dev-tool"]
    assert other.read_bytes() == b"#!/bin/sh\n"


@pytest.mark.parametrize("target", ["../elsewhere", "../there"])
def test_links_are_not_followed(target: str, tmp_path: Path) -> None:
    """Neither dangling ones, nor those to a file that looks like ours."""
    (tmp_path / "there").write_bytes(b"# Made by fotabuild.\n")
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "manifest-tool").symlink_to(target)
    assert entry_point([str(folder)]) == 1
    assert [path.name for path in folder.iterdir()] == ["manifest-tool"]
    assert not (tmp_path / "elsewhere").exists()
    assert (tmp_path / "there").read_bytes() == b"# Made by fotabuild.\n"


@pytest.mark.parametrize("kind", ["folder", "pipe"])
def test_what_is_no_file_stays(
    kind: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "manifest-tool"
    path.mkdir() if kind == "folder" else os.mkfifo(path)
    assert entry_point([str(tmp_path)]) == 1
    assert "another program of this name" in capfd.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["manifest-tool"]
