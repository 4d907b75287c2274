"""Folders and URLs as places of a store."""

from __future__ import annotations

import errno
import importlib.util
import sys
import uuid
from pathlib import Path
from typing import Any

import fsspec
import pytest

from fotabuild.errors import ReleaseStorageError, StoreDamageError
from fotabuild.releases import folder, remote
from fotabuild.releases.folder import FolderStorage
from fotabuild.releases.places import is_url, open_storage
from fotabuild.releases.storage import Storage

MEMORY: Any = fsspec.get_filesystem_class("memory")


@pytest.mark.parametrize(
    ("place", "expected"),
    [("s3://bucket/x", True), ("memory://x", True), ("/a/b", False), ("C:\\x", False),
     ("store", False), ("a:b", False)],
)  # fmt: skip
def test_which_places_are_urls(place: str, expected: bool) -> None:
    assert is_url(place) is expected


def test_relative_folders_start_at_the_base(tmp_path: Path) -> None:
    storage = open_storage("x/store", tmp_path)
    assert isinstance(storage, FolderStorage)
    assert storage.folder == tmp_path / "x" / "store"


def test_a_file_is_created_once(storage: Storage) -> None:
    assert storage.create("a/b", b"1")
    assert not storage.create("a/b", b"2")
    assert storage.read("a/b", 10) == b"1"
    storage.write("a/b", b"3")
    assert storage.read_all(["a/b", "a/c"], 10) == {"a/b": b"3"}
    assert set(storage.names("a")) == {"a/b"}
    storage.remove("a/b")
    storage.remove("a/b")
    assert storage.read("a/b", 10) is None
    assert storage.names("a") == {}


def test_nothing_large_is_read(storage: Storage) -> None:
    storage.write("a", b"12345")
    assert storage.read("a", 5) == b"12345"
    with pytest.raises(StoreDamageError, match=r"too large.*, the limit is 4"):
        storage.read("a", 4)
    storage.write("b", b"")
    found = storage.read_all(["a", "b", "c"], 4)
    assert (set(found), found["b"]) == ({"a", "b"}, b"")
    assert isinstance(found["a"], StoreDamageError)


def test_a_service_that_tells_no_sizes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing but the bytes themselves is believed, and no more of them are asked for."""
    storage = open_storage(f"memory://{uuid.uuid4().hex}")
    storage.write("a", b"x" * 1000)
    asked: list[int] = []
    cat_file = MEMORY.cat_file

    def counted(self: Any, path: str, start: int, end: int) -> bytes:
        asked.append(end)
        return bytes(cat_file(self, path, start, end))

    monkeypatch.setattr(MEMORY, "cat_file", counted)
    monkeypatch.setattr(MEMORY, "info", lambda *_, **__: {"size": None})
    with pytest.raises(StoreDamageError, match="too large"):
        storage.read("a", 10)
    assert isinstance(storage.read_all(["a"], 10)["a"], StoreDamageError)
    assert asked == [11, 11]


def test_a_place_with_too_many_files(storage: Storage, monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (folder, remote):
        monkeypatch.setattr(module, "MOST_FILES", 3)
    for number in range(4):
        assert len(storage.names("")) == number
        storage.write(f"x/{number}", b"1")
    with pytest.raises(ReleaseStorageError, match="more than"):
        storage.names("")


def test_a_file_that_is_a_folder(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(StoreDamageError, match="no file"):
        FolderStorage(tmp_path).read("a", 10)


def test_file_urls_are_folders(tmp_path: Path) -> None:
    storage = open_storage(f"file://{tmp_path}/a%20b")
    assert isinstance(storage, FolderStorage)
    assert storage.folder == tmp_path / "a b"
    with pytest.raises(ReleaseStorageError, match="another machine"):
        open_storage("file://host/x")


@pytest.mark.parametrize("kind", ["ftp", "sftp", "http", "simplecache::s3", "webdav", "github"])
def test_places_where_writers_are_not_safe(kind: str) -> None:
    with pytest.raises(ReleaseStorageError, match="several writers are not safe"):
        open_storage(f"{kind}://host/x")


def test_a_service_that_replaces_what_must_be_new(monkeypatch: pytest.MonkeyPatch) -> None:
    """Imitations of S3 may ignore the header; the first release would not survive the second."""
    storage = open_storage(f"memory://{uuid.uuid4().hex}")
    pipe_file = MEMORY.pipe_file
    monkeypatch.setattr(
        MEMORY, "pipe_file", lambda self, path, data, **_: pipe_file(self, path, data)
    )
    with pytest.raises(ReleaseStorageError, match="If-None-Match"):
        storage.create("a", b"1")
    assert storage.names("") == {}


@pytest.mark.parametrize("there", [b"2", None])
def test_a_service_that_does_not_say_why_it_refuses(
    monkeypatch: pytest.MonkeyPatch, there: bytes | None
) -> None:
    """Some answer with a conflict when two create a file at once: one, or both, must try again."""
    storage = open_storage(f"memory://{uuid.uuid4().hex}")
    storage.create("b", b"1")
    pipe_file, calls = MEMORY.pipe_file, 0

    def busy(self: Any, path: str, data: bytes, mode: str) -> None:
        nonlocal calls
        calls += 1
        if calls < 3:
            if there is not None:
                pipe_file(self, path, there)
            raise OSError(errno.EBUSY, "conflict")
        pipe_file(self, path, data, mode=mode)

    monkeypatch.setattr(MEMORY, "pipe_file", busy)
    assert storage.create("a", b"1") is (there is None)
    assert (storage.read("a", 9), calls) == ((b"1", 3) if there is None else (b"2", 1))


def test_whoever_was_overwritten_did_not_win(monkeypatch: pytest.MonkeyPatch) -> None:
    storage = open_storage(f"memory://{uuid.uuid4().hex}")
    storage.create("b", b"1")
    pipe_file = MEMORY.pipe_file

    def overwritten(self: Any, path: str, data: bytes, mode: str) -> None:
        pipe_file(self, path, data, mode=mode)
        pipe_file(self, path, b"the other")

    monkeypatch.setattr(MEMORY, "pipe_file", overwritten)
    assert not storage.create("a", b"1")


def test_passwords_in_urls_are_refused() -> None:
    with pytest.raises(ReleaseStorageError, match="must not hold") as caught:
        open_storage("s3://user:hunter2@bucket/x")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["nonsense://x/y", "gs3://bucket", "abfs://bucket/x"])
def test_unknown_kinds_of_urls(url: str) -> None:
    with pytest.raises(ReleaseStorageError, match=r"nonsense|gs3|abfs"):
        open_storage(url)


def test_without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(ReleaseStorageError, match=r"fotabuild\[storage\]"):
        open_storage("s3://bucket/x")
    assert importlib.util.find_spec("fotabuild.releases.remote") is not None


def test_a_folder_that_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "store").write_bytes(b"")
    with (
        pytest.raises(ReleaseStorageError, match="cannot write to the store"),
        open_storage(str(tmp_path / "store")).alone(),
    ):
        pass
