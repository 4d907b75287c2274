"""Whoever waits for another process says so, and does not wait without end."""

from __future__ import annotations

import fcntl
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from fotabuild.errors import FileError, FotabuildError, HssLmsError, ReleaseStorageError
from fotabuild.files import locks, writing
from fotabuild.files.folders import alone_in
from fotabuild.files.writing import OutputSet
from fotabuild.releases import folder as releases_folder
from fotabuild.releases.folder import FolderStorage
from fotabuild.signing import hss_lms


@contextmanager
def held(path: Path) -> Iterator[None]:
    """Have the lock of a file or folder, as another process has it."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def rename_two(folder: Path) -> None:
    outputs = OutputSet()
    for name in ("one", "two"):
        outputs.add(folder / name, b"x")
    outputs.commit()


def use_store(folder: Path) -> None:
    with FolderStorage(folder).alone():
        pass


def use_key(folder: Path) -> None:
    with hss_lms._locked(folder / "key"):
        pass


CASES = [
    (writing, "_RENAMES_SECONDS", ".", rename_two, FileError),
    (releases_folder, "LOCK_SECONDS", ".lock", use_store, ReleaseStorageError),
    (hss_lms, "LOCK_SECONDS", "key", use_key, HssLmsError),
]


@pytest.mark.parametrize(("module", "name", "locked", "use", "error"), CASES)
def test_nobody_waits_without_end(
    module: object,
    name: str,
    locked: str,
    use: Callable[[Path], None],
    error: type[FotabuildError],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(module, name, 0.05)
    monkeypatch.setattr(locks, "NOTICE_SECONDS", 0.0)
    for file in ("key", ".lock"):
        (tmp_path / file).touch()
    with held(tmp_path / locked), pytest.raises(error) as caught:
        use(tmp_path)
    assert type(caught.value) is error
    assert f"{tmp_path}" in str(caught.value)
    assert "another process has had this locked for 0.05 seconds; let it end" in str(caught.value)
    assert "flock(1)" in str(caught.value)  # Its child would wait for itself.
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"fotabuild: waiting for another process in {tmp_path}")
    assert sorted(os.listdir(tmp_path)) == [".lock", "key"]  # noqa: PTH208
    use(tmp_path)


def test_who_waits_gets_the_lock_when_it_is_free(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(locks, "NOTICE_SECONDS", 0.0)
    waits, real = threading.Event(), locks.try_lock

    def try_lock(descriptor: int) -> bool:
        free = real(descriptor)
        if not free:
            waits.set()
        return free

    monkeypatch.setattr(locks, "try_lock", try_lock)
    with held(tmp_path):
        waiting = threading.Thread(target=rename_two, args=(tmp_path,))
        waiting.start()
        assert waits.wait(20)
        assert not (tmp_path / "one").exists()
    waiting.join(20)
    assert {path.name for path in tmp_path.iterdir()} == {"one", "two"}
    assert capsys.readouterr().err.count("waiting for another process") == 1


def test_a_short_wait_needs_no_word(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with held(tmp_path), pytest.raises(FileError), alone_in(tmp_path, 0.01):
        pass
    assert capsys.readouterr().err == ""


def test_where_there_are_no_locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Some network drives know none: then nobody is kept out."""

    def refuse(*_: object) -> None:
        raise OSError(37, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    rename_two(tmp_path)
    use_store(tmp_path)
    assert (tmp_path / "two").exists()
