"""What already stands under the name of an output, and must not be lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from fotabuild.credentials import NewProject, create_project
from fotabuild.errors import FileError, OutputConflictError
from fotabuild.files.writing import OutputSet, write_file


def test_a_pipe_is_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with pytest.raises(OutputConflictError, match="not a regular file"):
        write_file(pipe, b"data")
    assert pipe.is_fifo()


def test_a_symbolic_link_is_followed(tmp_path: Path) -> None:
    real = tmp_path / "real" / "app.manifest"
    write_file(real, b"old")
    link = tmp_path / "app.manifest"
    link.symlink_to(real)
    write_file(link, b"new")
    assert link.is_symlink()
    assert real.read_bytes() == b"new"


def test_a_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    key = tmp_path / "update.key.pem"
    outputs = OutputSet()
    outputs.add(key, b"ours", private=True, only_new=True)
    key.write_bytes(b"theirs")
    with pytest.raises(OutputConflictError, match="made meanwhile"):
        outputs.commit()
    assert key.read_bytes() == b"theirs"
    assert [path.name for path in tmp_path.iterdir()] == ["update.key.pem"]


def test_replacing_a_key_never_removes_the_certificate_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = create_project(NewProject(folder=tmp_path))
    (tmp_path / "fotabuild.yaml").unlink()
    old = files["certificate"].read_bytes()

    def refuse(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(FileError, match="No space"):
        create_project(NewProject(folder=tmp_path, replace_key=True))
    assert files["certificate"].read_bytes() == old
