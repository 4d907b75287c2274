"""Writing: complete under the final name, private from birth, and never over an input."""

from __future__ import annotations

import contextlib
import os
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fotabuild.errors import FileError, OutputConflictError
from fotabuild.files import folders, writing
from fotabuild.files.folders import renames_flushed_together
from fotabuild.files.writing import OutputSet, write_file


@pytest.fixture(params=[0o022, 0o077, 0o002])
def umask(request: pytest.FixtureRequest) -> Iterator[int]:
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize("size", [0, 1, 4096, (1 << 20) - 1, (3 << 20) + 5])
def test_content_of_every_size(size: int, tmp_path: Path) -> None:
    data = os.urandom(size)
    write_file(tmp_path / "new" / "folder" / "file", data)
    assert (tmp_path / "new" / "folder" / "file").read_bytes() == data
    assert os.listdir(tmp_path / "new" / "folder") == ["file"]  # noqa: PTH208


def test_modes(umask: int, tmp_path: Path) -> None:
    write_file(tmp_path / "file", b"x")
    write_file(tmp_path / "key", b"x", private=True)
    assert mode(tmp_path / "file") == 0o666 & ~umask
    assert mode(tmp_path / "key") == 0o600


def test_a_private_file_replaces_an_open_one_privately(tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(b"old")
    (tmp_path / "key").chmod(0o644)
    write_file(tmp_path / "key", b"new", private=True)
    assert mode(tmp_path / "key") == 0o600


def test_private_from_birth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The mode is given when the file is made, not changed afterwards."""
    modes: list[int] = []
    real = os.fsync

    def fsync(descriptor: int) -> None:
        modes.append(stat.S_IMODE(os.fstat(descriptor).st_mode))
        real(descriptor)

    monkeypatch.setattr(os, "fsync", fsync)
    before = os.umask(0)
    try:
        write_file(tmp_path / "key", b"secret", private=True)
    finally:
        os.umask(before)
    assert modes[0] == 0o600


def test_old_file_is_replaced_in_one_step(tmp_path: Path) -> None:
    """Whoever has the old file open goes on reading the old content."""
    (tmp_path / "file").write_bytes(b"old")
    with open(tmp_path / "file", "rb") as reader:
        write_file(tmp_path / "file", b"new")
        assert reader.read() == b"old"
    assert (tmp_path / "file").read_bytes() == b"new"


def test_unchanged_file_keeps_its_date(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"same")
    os.utime(path, (1, 1))
    write_file(path, b"same", keep_unchanged=True)
    assert path.stat().st_mtime == 1
    write_file(path, b"other", keep_unchanged=True)
    assert (path.read_bytes(), path.stat().st_mtime > 1) == (b"other", True)
    os.utime(path, (1, 1))
    write_file(path, b"other")
    assert path.stat().st_mtime > 1


@pytest.mark.parametrize("alias", ["same", "hard link", "symbolic link", "other spelling"])
def test_inputs_are_never_overwritten(alias: str, tmp_path: Path) -> None:
    source = tmp_path / "input"
    source.write_bytes(b"precious")
    output = {"same": source, "other spelling": tmp_path / "." / "x" / ".." / "input"}.get(
        alias, tmp_path / "output"
    )
    (tmp_path / "x").mkdir()
    if alias == "hard link":
        os.link(source, output)
    if alias == "symbolic link":
        output.symlink_to(source)
    with pytest.raises(OutputConflictError, match="would overwrite an input"):
        write_file(output, b"new", inputs=[tmp_path / "absent", source])
    assert source.read_bytes() == b"precious"


def test_two_outputs_need_two_names(tmp_path: Path) -> None:
    outputs = OutputSet()
    outputs.add(tmp_path / "file", b"1")
    (tmp_path / "folder").mkdir()
    for path in (tmp_path / "file", tmp_path / "folder" / ".." / "file"):
        with pytest.raises(OutputConflictError, match="two outputs have the same name"):
            outputs.add(path, b"2")
    with pytest.raises(OutputConflictError, match="is a folder"):
        outputs.add(tmp_path / "folder", b"2")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_files_of_a_set_appear_together(tmp_path: Path) -> None:
    outputs = OutputSet()
    outputs.add(tmp_path / "patch", b"patch")
    outputs.add(tmp_path / "patch.yaml", b"side file")
    assert names(tmp_path) == set()
    outputs.commit()
    assert names(tmp_path) == {"patch", "patch.yaml"}


def test_nothing_appears_when_one_file_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "patch").write_bytes(b"old patch")
    (tmp_path / "blocked").write_bytes(b"a file where a folder should be")
    outputs = OutputSet()
    outputs.add(tmp_path / "patch", b"new patch")
    outputs.add(tmp_path / "blocked" / "patch.yaml", b"side file")
    with pytest.raises(FileError, match="cannot write") as caught:
        outputs.commit()
    assert caught.value.file == tmp_path / "blocked" / "patch.yaml"
    assert names(tmp_path) == {"patch", "blocked"}
    assert (tmp_path / "patch").read_bytes() == b"old patch"


def test_no_new_file_ever_stands_beside_an_old_description(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At each rename of a patch, the side file of the patch before is gone already."""
    (tmp_path / "patch").write_bytes(b"old patch")
    (tmp_path / "patch.yaml").write_bytes(b"old side file")
    seen: list[set[str]] = []
    real = os.replace

    def replace(source: Path, target: Path) -> None:
        seen.append({name for name in names(tmp_path) if not name.endswith(".tmp")})
        real(source, target)

    monkeypatch.setattr(os, "replace", replace)
    outputs = OutputSet()
    outputs.add(tmp_path / "patch", b"new patch")
    outputs.add(tmp_path / "patch.yaml", b"new side file", describes=True)
    outputs.commit()
    assert seen == [{"patch"}, {"patch"}]
    assert names(tmp_path) == {"patch", "patch.yaml"}


def test_what_reads_back_differently_is_not_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A disk that loses bytes: the final name is not touched."""
    (tmp_path / "file").write_bytes(b"old")
    monkeypatch.setattr(writing, "_has_content", lambda _path, _data: False)
    with pytest.raises(FileError, match="reads back differently"):
        write_file(tmp_path / "file", b"new")
    assert names(tmp_path) == {"file"}
    assert (tmp_path / "file").read_bytes() == b"old"


@pytest.mark.parametrize("call", ["write", "fsync", "replace"])
def test_errors_of_the_system_leave_nothing_behind(
    call: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_bytes(b"old")

    def fail(*_arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, call, fail)
    with pytest.raises(FileError, match="No space left on device") as caught:
        write_file(tmp_path / "file", b"new")
    monkeypatch.undo()
    assert caught.value.file == tmp_path / "file"
    assert names(tmp_path) == {"file"}
    assert (tmp_path / "file").read_bytes() == b"old"


def test_interruption_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(_descriptor: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "fsync", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "file", b"new")
    assert names(tmp_path) == set()


def test_interruption_just_after_opening_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A signal that arrives while the system makes the file is seen when it is there."""
    real = os.open

    def interrupt(*arguments: Any) -> int:
        os.close(real(*arguments))
        raise KeyboardInterrupt

    monkeypatch.setattr(os, "open", interrupt)
    with pytest.raises(KeyboardInterrupt):
        write_file(tmp_path / "file", b"new")
    assert names(tmp_path) == set()


def test_names_at_the_limit_of_the_file_system(tmp_path: Path) -> None:
    """The temporary name is longer than the final one, and still fits."""
    write_file(tmp_path / ("x" * 255), b"x")
    wide = "\u00e4" * 127
    write_file(tmp_path / wide, b"x")
    assert names(tmp_path) == {"x" * 255, wide}
    with pytest.raises(FileError, match="cannot write"):
        write_file(tmp_path / ("x" * 256), b"x")
    with pytest.raises(FileError, match="no file has such a name"):
        write_file(tmp_path / "nul\0", b"x")
    assert names(tmp_path) == {"x" * 255, wide}


@pytest.mark.parametrize("ends", ["well", "badly"])
def test_folders_are_flushed_once_for_many_outputs(
    ends: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    flushed: list[Path] = []
    monkeypatch.setattr(folders, "sync_folder", flushed.append)
    with contextlib.suppress(KeyboardInterrupt), renames_flushed_together():
        for name in ("a/1", "a/2", "b/1", "a/3"):
            write_file(tmp_path / name, b"x")
        assert flushed == []
        if ends == "badly":
            raise KeyboardInterrupt
    assert flushed == [tmp_path / "a", tmp_path / "b"]
    write_file(tmp_path / "a" / "4", b"x")
    assert len(flushed) == 3
