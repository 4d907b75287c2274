"""Folders and storage: complete files, an index, the same bytes for the same release."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from fotabuild.digest import sha256
from fotabuild.errors import FileError, MissingExtraError, StorageError
from fotabuild.publish.destination import copying_destination, is_service
from fotabuild.publish.events import Copied, Event
from fotabuild.publish.folder import Artifact, FolderDestination, Release
from fotabuild.publish.storage import StorageDestination


@pytest.fixture
def release(tmp_path: Path) -> Release:
    built = tmp_path / "built"
    built.mkdir()
    files = {"app-1.1.0.bin": b"image", "app-1.1.0.manifest": b"manifest", "d.patch": b"patch"}
    for name, data in files.items():
        (built / name).write_bytes(data)
    artifacts = (
        Artifact(built / "app-1.1.0.bin", "image"),
        Artifact(built / "app-1.1.0.manifest", "manifest"),
        Artifact(built / "d.patch", "delta", "1.0.0"),
    )
    return Release("app", "1.1.0", "MAIN", "a" * 32, "b" * 32, artifacts)


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_a_folder_gets_everything_and_an_index(release: Release, tmp_path: Path) -> None:
    folder = tmp_path / "published" / "deep"
    destination = copying_destination(str(folder))
    destination.check()
    names = destination.publish(release, lambda _: None)
    found = content(folder)
    assert sorted(names) == sorted(str(folder / name) for name in found)
    assert found["app.latest.json"] == found["app-1.1.0.index.json"]
    index = json.loads(found["app.latest.json"])
    assert index["version"] == "1.1.0"
    assert (index["vendor-id"], index["class-id"]) == ("a" * 32, "b" * 32)
    assert [f.get("from") for f in index["files"]] == [None, None, "1.0.0"]
    for file in index["files"]:
        assert file["sha256"] == sha256(found[file["file"]]).hex()
        assert file["size"] == len(found[file["file"]])


def test_twice_the_same_changes_nothing(release: Release, tmp_path: Path) -> None:
    folder = tmp_path / "published"
    FolderDestination(folder).publish(release, lambda _: None)
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    events: list[Event] = []
    FolderDestination(folder).publish(release, events.append)
    assert {path: path.stat().st_mtime_ns for path in folder.iterdir()} == before
    assert {event.changed for event in events if isinstance(event, Copied)} == {False}


def test_the_folder_of_the_artifacts_itself(release: Release, tmp_path: Path) -> None:
    """The default: nothing is copied, the index is added."""
    built = tmp_path / "built"
    before = content(built)
    FolderDestination(built).publish(release, lambda _: None)
    after = content(built)
    assert set(after) - set(before) == {"app-1.1.0.index.json", "app.latest.json"}
    assert {name: after[name] for name in before} == before


def test_a_missing_artifact_leaves_nothing(release: Release, tmp_path: Path) -> None:
    (tmp_path / "built" / "d.patch").unlink()
    with pytest.raises(FileError, match="cannot read the delta"):
        FolderDestination(tmp_path / "published").publish(release, lambda _: None)
    assert not (tmp_path / "published").exists()


def test_a_file_in_the_place_of_the_folder(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(FileError, match="a file stands where the folder should be"):
        FolderDestination(tmp_path / "file" / "sub").check()


@pytest.mark.parametrize(
    ("place", "service"),
    [
        ("https://a.b", True),
        ("http://127.0.0.1:1", True),
        ("HTTPS://a.b", True),
        ("s3://b", False),
        ("/x", False),
        ("file:/x", False),
    ],
)
def test_the_text_alone_chooses(place: str, service: bool) -> None:
    assert is_service(place) is service


def test_file_uris(tmp_path: Path) -> None:
    for text in (f"file:{tmp_path}", f"file://{tmp_path}"):
        assert copying_destination(text).place == str(tmp_path)


def test_storage_gets_everything_and_is_read_back(release: Release) -> None:
    import fsspec

    destination = copying_destination("memory://bucket/firmware/")
    assert isinstance(destination, StorageDestination)
    destination.check()
    events: list[Event] = []
    names = destination.publish(release, events.append)
    system = fsspec.filesystem("memory")
    assert sorted(names) == sorted(f"memory:/{n}" for n in system.find("/bucket/firmware"))
    assert system.cat_file("/bucket/firmware/d.patch") == b"patch"
    again: list[Event] = []
    destination.publish(release, again.append)
    assert {e.changed for e in events if isinstance(e, Copied)} == {True}
    assert {e.changed for e in again if isinstance(e, Copied)} == {False}
    system.rm("/bucket", recursive=True)


def test_storage_that_damages_data(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    right = MemoryFileSystem.pipe_file

    def damage(self: Any, path: str, data: bytes, **more: Any) -> None:
        right(self, path, data[:-1], **more)

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", damage)
    with pytest.raises(StorageError, match="reads back differently"):
        StorageDestination("memory://damaged").publish(release, lambda _: None)


def test_storage_that_refuses(release: Release, monkeypatch: pytest.MonkeyPatch) -> None:
    from fsspec.implementations.memory import MemoryFileSystem

    def refuse(self: Any, path: str, data: bytes, **more: Any) -> None:
        raise PermissionError("no")

    monkeypatch.setattr(MemoryFileSystem, "pipe_file", refuse)
    with pytest.raises(StorageError, match="PermissionError: no"):
        StorageDestination("memory://refused").publish(release, lambda _: None)


def test_unknown_storage() -> None:
    with pytest.raises(StorageError, match="frobnicate"):
        StorageDestination("frobnicate://x").check()


def test_without_fsspec(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fsspec", None)
    with pytest.raises(MissingExtraError, match=r"install 'fotabuild\[storage\]'"):
        StorageDestination("s3://x").check()


def test_a_password_in_a_storage_url_is_not_shown() -> None:
    assert StorageDestination("sftp://me:secret@host/x?token=1").place == "sftp://host/x"


def test_nothing_temporary_stays(release: Release, tmp_path: Path) -> None:
    FolderDestination(tmp_path / "p").publish(release, lambda _: None)
    assert not list((tmp_path / "p").glob("*.tmp")) + list((tmp_path / "p").glob(".*"))
