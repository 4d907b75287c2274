"""Folders and URLs as places of a store."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path

import pytest

from fotabuild.errors import ReleaseStorageError
from fotabuild.releases.storage import FolderStorage, Storage, is_url, open_storage


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
    with pytest.raises(ReleaseStorageError, match="5 bytes, the limit is 4"):
        storage.read("a", 4)


def test_passwords_in_urls_are_refused() -> None:
    with pytest.raises(ReleaseStorageError, match="must not hold") as caught:
        open_storage("s3://user:hunter2@bucket/x")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize("url", ["nonsense://x/y", "gs3://bucket"])
def test_unknown_kinds_of_urls(url: str) -> None:
    with pytest.raises(ReleaseStorageError, match=r"nonsense|gs3"):
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
