"""Whatever single file is damaged or lost is found, and healed where that is possible."""

from __future__ import annotations

import contextlib
import datetime
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fsspec
import pytest

from fotabuild.errors import ReleaseError
from fotabuild.limits import READ_LIMITS, ReadLimits
from fotabuild.releases import folder as folder_module
from fotabuild.releases import store as store_module
from fotabuild.releases.findings import Problem
from fotabuild.releases.folder import FolderStorage
from fotabuild.releases.fsck import GRACE_SECONDS, check_store
from fotabuild.releases.layout import INDEX, RECORDS, blob_name
from fotabuild.releases.new_release import NewRelease
from fotabuild.releases.storage import Storage
from fotabuild.releases.store import ReleaseStore

from .samples import DATE, release


@pytest.fixture
def filled(store: ReleaseStore) -> ReleaseStore:
    """Two releases, one of them retired, with a manifest."""
    store.add(release("1.0.0", manifest=b"manifest"))
    store.add(release("1.1.0", seed=2))
    store.retire("MAIN", "1.0.0", DATE)
    return store


def content(store: ReleaseStore) -> dict[str, bytes | None]:
    names = [name for name in store.storage.names("") if name != ".lock"]
    return {name: store.storage.read(name, 10**6) for name in names}


MARK = "records/MAIN/1.0.0.retired.1.json"
FILES = (INDEX, "records/MAIN/1.0.0.json", "records/MAIN/1.1.0.json", MARK)


def test_a_sound_store(filled: ReleaseStore) -> None:
    before = content(filled)
    assert check_store(filled) == (2, [])
    assert content(filled) == before
    assert sum(name.startswith("blobs/") for name in before) == 3


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["flip", "cut", "empty", "large"])
def test_damaged_texts_are_restored(filled: ReleaseStore, name: str, damage: str) -> None:
    before = content(filled)
    data = before[name] or b""
    bad = {
        "flip": data.replace(b"0", b"9", 1),
        "cut": data[:-9],
        "empty": b"",
        "large": data + b" " * READ_LIMITS.release_record,
    }[damage]
    if (name, damage) == (INDEX, "large"):
        bad = data + b"?"
    assert bad != data
    filled.storage.write(name, bad)
    reported = check_store(filled, heal=False)[1]
    assert [finding.healed for finding in reported] == [False] * len(reported)
    assert filled.storage.read(name, 10**6) == bad
    if damage == "large" and name != INDEX:
        assert "too large" in " ".join(finding.detail for finding in reported)
    if damage == "flip" and name == MARK:
        assert Problem.OUTDATED_INDEX in {finding.problem for finding in reported}
        return  # The mark wins over the index: it says another date now.
    _, findings = check_store(filled)
    assert findings
    assert all(finding.healed for finding in findings)
    assert content(filled) == before
    assert check_store(filled) == (2, [])


@pytest.mark.parametrize("name", FILES)
def test_lost_texts_are_restored(filled: ReleaseStore, name: str) -> None:
    before = content(filled)
    filled.storage.remove(name)
    _, findings = check_store(filled)
    assert all(finding.healed for finding in findings)
    assert content(filled) == before


def test_every_lost_or_damaged_blob_is_found(filled: ReleaseStore) -> None:
    for name in [name for name in content(filled) if name.startswith("blobs/")]:
        data = filled.storage.read(name, 10**6) or b""
        filled.storage.write(name, data[:-1] + b"?")
        [finding] = check_store(filled)[1]
        assert (finding.problem, finding.name, finding.healed) == (
            Problem.DAMAGED_BLOB, name, False,
        )  # fmt: skip
        filled.storage.remove(name)
        [finding] = check_store(filled)[1]
        assert (finding.problem, finding.name) == (Problem.MISSING_BLOB, name)
        filled.storage.write(name, data)
    assert check_store(filled) == (2, [])


def test_record_and_index_both_lost(filled: ReleaseStore) -> None:
    """Nothing knows the release any more; its files are named as unused, and not removed yet."""
    filled.storage.write(INDEX, b"")
    filled.storage.remove("records/MAIN/1.1.0.json")
    _, findings = check_store(filled)
    assert {finding.problem for finding in findings} == {
        Problem.OUTDATED_INDEX,
        Problem.UNUSED_FILE,
    }
    assert [entry.release.version for entry in filled.contents().entries] == ["1.0.0"]
    assert sum(name.startswith("blobs/") for name in content(filled)) == 3


def test_record_and_index_both_damaged(filled: ReleaseStore) -> None:
    """What is left is kept: the mark, the image, and the record, which a backup may replace."""
    before = content(filled)
    record = "records/MAIN/1.0.0.json"
    for name in (INDEX, record):
        filled.storage.write(name, b"?")
    _, findings = check_store(filled, grace=-1)
    assert {f.problem: (f.name, f.healed) for f in findings if not f.harmless} == {
        Problem.DAMAGED_RECORD: (record, False),
        Problem.OUTDATED_INDEX: (INDEX, True),
    }
    assert set(content(filled)) == set(before)
    filled.storage.write(record, before[record] or b"")
    assert filled.find("MAIN", "1.0.0").retired == DATE
    check_store(filled)
    assert content(filled) == before


def test_an_oversized_image_is_named(filled: ReleaseStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(store_module, "READ_LIMITS", ReadLimits(image=2999))
    findings = check_store(filled)[1]
    assert {f.problem for f in findings} == {Problem.DAMAGED_BLOB}
    assert len(findings) == 2
    assert all("too large" in finding.detail for finding in findings)


def test_a_store_of_a_newer_fotabuild_is_left_alone(filled: ReleaseStore) -> None:
    text = (filled.storage.read(INDEX, 10**6) or b"").replace(
        b'"format": 1', b'"format": 2, "new": []'
    )
    filled.storage.write(INDEX, text)
    before = content(filled)
    with pytest.raises(ReleaseError, match="format 2"):
        check_store(filled)
    assert content(filled) == before


class OtherAdds:
    """A place where somebody adds a release while its images are read."""

    def __init__(self, storage: Storage, new: NewRelease) -> None:
        self._storage, self._new = storage, new
        self._done = False

    def __getattr__(self, name: str) -> Any:
        return getattr(self._storage, name)

    def alone(self) -> contextlib.nullcontext[None]:
        """Not every network drive has locks, and no URL."""
        return contextlib.nullcontext()

    def read(self, name: str, limit: int) -> bytes | None:
        if name.startswith("blobs/") and not self._done:
            self._done = True
            ReleaseStore(self).add(self._new)
        return self._storage.read(name, limit)


def test_a_release_that_is_added_meanwhile_keeps_its_image(
    tmp_path: Path, storage: Storage
) -> None:
    """Its image lies there since long, since somebody was killed when adding it."""
    store = ReleaseStore(storage)
    store.add(release("1.0.0"))
    new = release("2.0.0", seed=2)
    blob = blob_name(new.release().digest)
    storage.write(blob, new.image)
    _make_old(storage, blob)
    findings = check_store(ReleaseStore(OtherAdds(storage, new)))[1]
    assert not [finding for finding in findings if finding.healed]
    assert store.blob(new.release().digest) == new.image
    assert check_store(store) == (2, [])


def test_an_old_image_is_new_again_for_whoever_is_about_to_name_it(storage: Storage) -> None:
    store = ReleaseStore(storage)
    store.add(release())
    new = release("2.0.0", seed=2)
    blob = blob_name(new.release().digest)
    storage.write(blob, new.image)
    _make_old(storage, blob)
    assert storage.names("blobs")[blob] > GRACE_SECONDS
    # A writer that is killed before it writes the record.
    storage.write(blob, new.image, fresh=True)
    [finding] = check_store(store)[1]
    assert (finding.name, finding.healed) == (blob, False)
    _make_old(storage, blob)
    [finding] = check_store(store)[1]
    assert (finding.name, finding.healed) == (blob, True)


def _make_old(storage: Storage, name: str) -> None:
    two_days = 2 * GRACE_SECONDS
    if isinstance(storage, FolderStorage):
        os.utime(storage.path(name), (time.time() - two_days,) * 2)
    else:
        system = fsspec.filesystem("memory")
        path = urlsplit(f"{storage.place}/{name}")
        file = system.store[f"/{path.netloc}{path.path}"]
        file.created = file.modified = file.created - datetime.timedelta(seconds=two_days)


def test_leftovers_go_after_their_time(filled: ReleaseStore) -> None:
    before = content(filled)
    for name in ("blobs/ab/.x.0123.tmp", ".index.json.0123.tmp", "blobs/ab/" + "ab" * 32):
        filled.storage.write(name, b"x")
    filled.storage.write("records/MAIN/3.0.0.retired.1.json", b"x")
    findings = check_store(filled)[1]
    assert all(finding.harmless for finding in findings)
    assert {finding.name for finding in findings if not finding.healed} == set(
        content(filled)
    ) - set(before)
    check_store(filled, grace=-1)
    assert content(filled) == before


def test_marks_without_a_record_stay_for_a_day(filled: ReleaseStore) -> None:
    name = "records/MAIN/3.0.0.retired.1.json"
    filled.storage.write(name, b"x")
    [finding] = check_store(filled)[1]
    assert (finding.problem, finding.name, finding.healed, finding.harmless) == (
        Problem.STRAY_MARK, name, False, True,
    )  # fmt: skip
    assert filled.storage.read(name, 10) == b"x"
    [finding] = check_store(filled, grace=-1)[1]
    assert (finding.problem, finding.healed) == (Problem.STRAY_MARK, True)
    assert check_store(filled) == (2, [])


def test_a_mark_whose_record_one_list_missed_stays(
    filled: ReleaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list in pages may have the mark, and not the record that was written meanwhile."""
    record = "records/MAIN/1.0.0.json"
    filled.storage.remove(INDEX)
    listed = type(filled.storage).names
    calls = []

    def names(self: Storage, folder: str) -> dict[str, float]:
        found = listed(self, folder)
        if folder == RECORDS:
            calls.append(folder)
            # The first list is the one that marks are compared with.
            if len(calls) == 1:
                assert found.pop(record) is not None
        return found

    monkeypatch.setattr(type(filled.storage), "names", names)
    findings = check_store(filled, grace=-1)[1]
    assert Problem.STRAY_MARK not in {finding.problem for finding in findings}
    monkeypatch.undo()
    assert filled.find("MAIN", "1.0.0").retired == DATE
    assert check_store(filled) == (2, [])


def test_looking_writes_nothing(folder_store: ReleaseStore) -> None:
    folder_store.add(release())
    storage = folder_store.storage
    assert isinstance(storage, FolderStorage)
    storage.path(".lock").unlink()
    before = content(folder_store)
    assert check_store(folder_store, heal=False) == (1, [])
    assert content(folder_store) == before
    assert not storage.path(".lock").exists()


def test_others_may_write_while_images_are_read(
    folder_store: ReleaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Reading all images may take hours."""
    folder_store.add(release("1.0.0"))
    read = folder_store.blob

    def blob(digest: str, title: str = "") -> bytes:
        monkeypatch.setattr(folder_store, "blob", read)
        assert ReleaseStore(folder_store.storage).add(release("1.1.0", seed=2))
        return read(digest, title)

    monkeypatch.setattr(folder_module, "LOCK_SECONDS", 0.1)
    monkeypatch.setattr(folder_store, "blob", blob)
    assert check_store(folder_store) == (1, [])
    assert check_store(folder_store) == (2, [])
