"""The copy of a store that builds use."""

from __future__ import annotations

import contextlib
import os
import time
import uuid
from collections.abc import Iterable, Sequence
from pathlib import Path

import pytest

from fotabuild.errors import ReleaseStorageError, StoreDamageError
from fotabuild.releases import folder as folder_module
from fotabuild.releases.contents import read_index
from fotabuild.releases.folder import FolderStorage
from fotabuild.releases.layout import INDEX, blob_name, record_name
from fotabuild.releases.mirror import Pulled, pull
from fotabuild.releases.places import open_storage
from fotabuild.releases.release import Entry, Release
from fotabuild.releases.store import ReleaseStore

from .samples import DATE, release


def of(component: str, entries: Sequence[Entry]) -> Iterable[Release]:
    return [e.release for e in entries if e.release.component == component and e.retired is None]


def main(entries: Sequence[Entry]) -> Iterable[Release]:
    return of("MAIN", entries)


def boot(entries: Sequence[Entry]) -> Iterable[Release]:
    return of("BOOT", entries)


@pytest.fixture
def source() -> ReleaseStore:
    store = ReleaseStore(open_storage(f"memory://{uuid.uuid4().hex}"))
    for number in (1, 2, 3):
        store.add(release(f"1.{number}.0", seed=number, manifest=b"not for builds"))
    return store


@pytest.fixture
def mirror(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "mirror")


def mirrored(mirror: FolderStorage) -> tuple[Entry, ...]:
    """The index that builds read."""
    return read_index(mirror)[1]


def test_what_builds_need_and_no_more(source: ReleaseStore, mirror: FolderStorage) -> None:
    source.retire("MAIN", "1.1.0", DATE)
    assert pull(source, mirror, main) == Pulled(releases=2, fetched=2, size=6000, removed=0)
    assert len(mirror.names("blobs")) == 2
    assert mirrored(mirror) == source.contents().entries


def test_only_what_is_new_travels(source: ReleaseStore, mirror: FolderStorage) -> None:
    pull(source, mirror, main)
    assert pull(source, mirror, main).fetched == 0
    source.add(release("1.4.0", seed=4))
    source.retire("MAIN", "1.1.0", DATE)
    assert pull(source, mirror, main) == Pulled(releases=3, fetched=1, size=3000, removed=1)


def test_a_damaged_copy_is_fetched_again(source: ReleaseStore, mirror: FolderStorage) -> None:
    pull(source, mirror, main)
    name = blob_name(source.find("MAIN", "1.1.0").release.digest)
    mirror.write(name, b"?")
    assert pull(source, mirror, main).fetched == 1
    assert mirrored(mirror) == source.contents().entries


def test_damage_at_the_source_leaves_the_old_state(
    source: ReleaseStore, mirror: FolderStorage
) -> None:
    pull(source, mirror, main)
    before = mirror.read(INDEX, 10**6)
    source.add(release("1.4.0", seed=4))
    source.storage.write(blob_name(source.find("MAIN", "1.4.0").release.digest), b"?")
    with pytest.raises(StoreDamageError, match=r"MAIN 1\.4\.0"):
        pull(source, mirror, main)
    assert mirror.read(INDEX, 10**6) == before


def test_elf_files_come_with_their_images(source: ReleaseStore, mirror: FolderStorage) -> None:
    source.add(release("1.4.0", seed=4, elf=b"symbols", manifest=b"m"))
    assert pull(source, mirror, main).fetched == 5
    kept = source.find("MAIN", "1.4.0").release
    assert kept.elf is not None
    assert mirror.read(blob_name(kept.elf), 100) == b"symbols"
    assert mirror.read(blob_name(kept.manifest or ""), 100) is None


def test_projects_share_a_mirror(source: ReleaseStore, mirror: FolderStorage) -> None:
    """Each fetches what it needs itself, and none removes what another one needs."""
    source.add(release("1.0.0", seed=9, component="BOOT"))
    assert pull(source, mirror, main) == Pulled(3, 3, 9000, 0)
    assert pull(source, mirror, boot) == Pulled(1, 1, 3000, 0)
    assert pull(source, mirror, main) == Pulled(3, 0, 0, 0)
    assert mirrored(mirror) == source.contents().entries
    source.retire("BOOT", "1.0.0", DATE)
    assert pull(source, mirror, main) == Pulled(3, 0, 0, 1)


def test_a_release_that_dropped_out_of_the_index(
    source: ReleaseStore, mirror: FolderStorage
) -> None:
    """A writer that had listed the records before it was added wrote last, and was killed."""
    old = source.storage.read(INDEX, 10**6) or b""
    source.add(release("3.0.0", seed=30))
    source.storage.write(INDEX, old)
    assert pull(source, mirror, main).releases == 4
    assert [entry.release.version for entry in mirrored(mirror)][-1] == "3.0.0"


@pytest.mark.parametrize("content", [None, b"?"])
def test_a_place_without_a_store_empties_no_mirror(
    source: ReleaseStore, mirror: FolderStorage, content: bytes | None
) -> None:
    pull(source, mirror, main)
    before = set(mirror.names(""))
    elsewhere = open_storage(f"memory://{uuid.uuid4().hex}")
    if content is not None:
        elsewhere.write(INDEX, content)
    with pytest.raises(ReleaseStorageError, match="no release store here"):
        pull(ReleaseStore(elsewhere), mirror, main)
    assert set(mirror.names("")) == before


def test_a_damaged_record_leaves_the_old_state(source: ReleaseStore, mirror: FolderStorage) -> None:
    pull(source, mirror, main)
    before = mirror.read(INDEX, 10**6)
    source.storage.write(record_name("MAIN", "1.9.0"), b"?")
    with pytest.raises(StoreDamageError, match="1 records or marks are damaged"):
        pull(source, mirror, main)
    assert mirror.read(INDEX, 10**6) == before


def test_who_waits_for_the_source_keeps_nobody_out(
    source: ReleaseStore, mirror: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service may take minutes to answer; another pull goes on meanwhile."""
    read = source.blob

    def blob(digest: str, title: str = "") -> bytes:
        monkeypatch.setattr(source, "blob", read)
        assert pull(source, mirror, main).fetched == 3
        return read(digest, title)

    monkeypatch.setattr(folder_module, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(source, "blob", blob)
    assert pull(source, mirror, main).fetched == 1
    assert len(mirror.names("blobs")) == 3


def test_what_another_pull_removed_meanwhile_is_fetched_again(
    source: ReleaseStore, mirror: FolderStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that read the store before a release was added does not know its image."""
    alone, name = mirror.alone, blob_name(source.find("MAIN", "1.2.0").release.digest)

    def late() -> contextlib.AbstractContextManager[None]:
        mirror.remove(name)
        return alone()

    monkeypatch.setattr(mirror, "alone", late)
    assert pull(source, mirror, main).fetched == 4
    assert name in mirror.names("blobs")


def test_what_others_are_writing_is_left_to_them(
    source: ReleaseStore, mirror: FolderStorage
) -> None:
    pull(source, mirror, main)
    new, old = (mirror.path(f"blobs/ab/.{name}.tmp") for name in ("new", "old"))
    for path in (new, old):
        path.parent.mkdir(exist_ok=True)
        path.touch()
    day_before = time.time() - 25 * 3600
    os.utime(old, (day_before, day_before))
    assert pull(source, mirror, main).removed == 1
    assert (new.exists(), old.exists()) == (True, False)
