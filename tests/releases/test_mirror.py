"""The copy of a store that builds use."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest

from fotabuild.errors import StoreDamageError
from fotabuild.releases.mirror import Pulled, pull
from fotabuild.releases.storage import FolderStorage, open_storage
from fotabuild.releases.store import INDEX, ReleaseStore, blob_name

from .samples import DATE, release


@pytest.fixture
def source() -> ReleaseStore:
    store = ReleaseStore(open_storage(f"memory://{uuid.uuid4().hex}"))
    for number in (1, 2, 3):
        store.add(release(f"1.{number}.0", seed=number, manifest=b"not for builds"))
    return store


@pytest.fixture
def mirror(tmp_path: Path) -> FolderStorage:
    return FolderStorage(tmp_path / "mirror")


def test_what_builds_need_and_no_more(source: ReleaseStore, mirror: FolderStorage) -> None:
    source.retire("MAIN", "1.1.0", DATE)
    assert pull(source, mirror) == Pulled(releases=2, fetched=2, size=6000, removed=0)
    assert len(mirror.names("blobs")) == 2
    assert ReleaseStore(mirror).index() == source.index()


def test_only_what_is_new_travels(source: ReleaseStore, mirror: FolderStorage) -> None:
    pull(source, mirror)
    assert pull(source, mirror).fetched == 0
    source.add(release("1.4.0", seed=4))
    source.retire("MAIN", "1.1.0", DATE)
    assert pull(source, mirror) == Pulled(releases=3, fetched=1, size=3000, removed=1)


def test_a_damaged_copy_is_fetched_again(source: ReleaseStore, mirror: FolderStorage) -> None:
    pull(source, mirror)
    name = blob_name(source.find("MAIN", "1.1.0").release.digest)
    mirror.write(name, b"?")
    assert pull(source, mirror).fetched == 1
    assert ReleaseStore(mirror).index() == source.index()


def test_damage_at_the_source_leaves_the_old_state(
    source: ReleaseStore, mirror: FolderStorage
) -> None:
    pull(source, mirror)
    before = mirror.read(INDEX, 10**6)
    source.add(release("1.4.0", seed=4))
    source.storage.write(blob_name(source.find("MAIN", "1.4.0").release.digest), b"?")
    with pytest.raises(StoreDamageError, match=r"MAIN 1\.4\.0"):
        pull(source, mirror)
    assert mirror.read(INDEX, 10**6) == before
