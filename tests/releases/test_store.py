"""Adding, finding, retiring; in a folder and behind fsspec."""

from __future__ import annotations

import json
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fotabuild.digest import sha256
from fotabuild.errors import (
    ReleaseConflictError,
    ReleaseError,
    ReleaseStorageError,
    StoreDamageError,
    UnknownReleaseError,
)
from fotabuild.limits import ReadLimits
from fotabuild.releases import record
from fotabuild.releases.contents import read_index
from fotabuild.releases.fsck import check_store
from fotabuild.releases.layout import INDEX, blob_name, record_name
from fotabuild.releases.new_release import NewRelease
from fotabuild.releases.record import Index, decode
from fotabuild.releases.release import Entry
from fotabuild.releases.store import ReleaseStore

from .samples import DATE, copy, image, release

LATER = "2026-03-01T00:00:00Z"


def index_of(store: ReleaseStore) -> list[tuple[str, str | None]]:
    _, entries = read_index(store.storage)
    return [(entry.release.version, entry.retired) for entry in entries]


def test_a_release_keeps_everything(store: ReleaseStore) -> None:
    new = release(manifest=b"m", elf=b"e", origin={"commit": "1a2b", "url": "https://ci/7"})
    assert store.add(new)
    found = store.find("MAIN", "1.0.0").release
    assert (found.version, found.component, found.date, found.size) == (
        "1.0.0", "MAIN", DATE, 3000,
    )  # fmt: skip
    assert found.origin == {"commit": "1a2b", "url": "https://ci/7"}
    kept = [store.blob(digest) for digest in found.digests]
    assert kept == [image(1), b"m", b"e"]
    assert found.digest == sha256(image(1)).hex()


def test_the_index_lists_all_by_version(store: ReleaseStore) -> None:
    for version in ("1.10.0", "1.9.0", "1.0.1"):
        store.add(release(version))
    assert index_of(store) == [("1.0.1", None), ("1.9.0", None), ("1.10.0", None)]
    assert read_index(store.storage)[1] == store.contents().entries


def test_equal_images_are_kept_once(store: ReleaseStore) -> None:
    store.add(release("1.0.0"))
    store.add(release("1.0.1"))
    assert len(store.storage.names("blobs")) == 1


def test_the_same_again_changes_nothing(store: ReleaseStore) -> None:
    assert store.add(release())
    before = store.storage.read(INDEX, 10**6)
    assert not store.add(release(date=LATER))
    assert store.storage.read(INDEX, 10**6) == before
    assert store.find("MAIN", "1.0.0").release.date == DATE


@pytest.mark.parametrize("other", [{"seed": 2}, {"manifest": b"n"}, {"elf": b"f"}])
def test_another_content_is_refused(store: ReleaseStore, other: dict[str, Any]) -> None:
    store.add(release(manifest=b"m", elf=b"e"))
    with pytest.raises(ReleaseConflictError, match=r"another (image|manifest|elf)"):
        store.add(release(**other))
    assert store.find("MAIN", "1.0.0").release.digest == sha256(image(1)).hex()


def test_components_are_apart(store: ReleaseStore) -> None:
    store.add(release())
    store.add(release(component="BOOT/../x", seed=2))
    assert store.find("BOOT/../x", "1.0.0").release.digest == sha256(image(2)).hex()
    with pytest.raises(UnknownReleaseError):
        store.find("BOOT", "1.0.0")


@pytest.mark.parametrize("component", ["..", ".", "a/b", "%2E", "a b", "é"])
def test_a_component_cannot_leave_the_store(component: str) -> None:
    name = record_name(component, "1.0.0")
    assert len(name.split("/")) == 3
    assert ".." not in name
    assert name != record_name("a", "1.0.0")


def test_retired_and_back(store: ReleaseStore) -> None:
    store.add(release())
    assert store.retire("MAIN", "1.0.0", LATER)
    assert not store.retire("MAIN", "1.0.0", DATE)
    assert index_of(store) == [("1.0.0", LATER)]
    assert store.blob(store.find("MAIN", "1.0.0").release.digest) == image(1)
    assert store.restore("MAIN", "1.0.0", LATER)
    assert not store.restore("MAIN", "1.0.0", LATER)
    assert index_of(store) == [("1.0.0", None)]
    assert store.retire("MAIN", "1.0.0", DATE)
    assert index_of(store) == [("1.0.0", DATE)]
    assert set(store.storage.names("records")) == {
        "records/MAIN/1.0.0.json",
        "records/MAIN/1.0.0.retired.1.json",
        "records/MAIN/1.0.0.retired.2.json",
        "records/MAIN/1.0.0.retired.3.json",
    }


def test_the_last_mark_counts(store: ReleaseStore) -> None:
    """An index that was written before, or that is gone, makes no difference."""
    store.add(release())
    store.retire("MAIN", "1.0.0", LATER)
    old = store.storage.read(INDEX, 10**6) or b""
    store.restore("MAIN", "1.0.0", LATER)
    store.storage.write(INDEX, old)
    assert not store.restore("MAIN", "1.0.0", LATER)
    assert index_of(store) == [("1.0.0", None)]
    for index in (old, b"?"):
        store.storage.write(INDEX, index)
        assert store.find("MAIN", "1.0.0").retired is None
    store.add(release("1.1.0"))
    assert index_of(store) == [("1.0.0", None), ("1.1.0", None)]


def test_a_lost_mark_takes_no_release_back_into_the_field(store: ReleaseStore) -> None:
    store.add(release())
    store.retire("MAIN", "1.0.0", LATER)
    store.storage.remove("records/MAIN/1.0.0.retired.1.json")
    store.add(release("1.1.0"))
    assert index_of(store) == [("1.0.0", LATER), ("1.1.0", None)]
    assert store.restore("MAIN", "1.0.0", LATER)
    assert index_of(store) == [("1.0.0", None), ("1.1.0", None)]


def test_unknown_releases(store: ReleaseStore) -> None:
    store.add(release())
    before = set(store.storage.names(""))
    with pytest.raises(UnknownReleaseError, match="no MAIN 9"):
        store.find("MAIN", "9.0.0")
    with pytest.raises(UnknownReleaseError, match="no MAIN 9"):
        store.restore("MAIN", "9.0.0", DATE)
    with pytest.raises(UnknownReleaseError, match="no MAIN 9"):
        store.retire("MAIN", "9.0.0", DATE)
    assert set(store.storage.names("")) == before


def test_a_place_without_a_store(store: ReleaseStore, tmp_path: Path) -> None:
    for call in (
        store.contents,
        lambda: store.find("MAIN", "1.0.0"),
        lambda: store.retire("MAIN", "1.0.0", DATE),
        lambda: check_store(store),
    ):
        with pytest.raises(ReleaseStorageError, match="no release store here"):
            call()
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    "values",
    [
        {"version": "1.0"},
        {"version": "0.0.0"},
        {"version": "1.0.0/../../x"},
        {"date": "yesterday"},
        {"date": "2026-02-31T00:00:00Z"},
        {"image": b""},
        {"manifest": b""},
        {"elf": b""},
        {"retired": "soon"},
        {"component": "\udcff"},
        {"origin": {"x": "\udcff"}},
        {"component": ""},
        {"component": "x" * 65},
        {"origin": {"": "x"}},
        {"origin": {"x": "y" * 1001}},
        {"origin": {str(n): "x" for n in range(33)}},
    ],
    ids=str,
)
def test_bad_values_leave_nothing(store: ReleaseStore, values: dict[str, Any]) -> None:
    with pytest.raises(ReleaseError):
        store.add(release(**values))
    assert store.storage.names("") == {}


def test_a_day_is_a_date(store: ReleaseStore) -> None:
    store.add(release(date="2026-01-31"))
    assert store.find("MAIN", "1.0.0").release.date == "2026-01-31T00:00:00Z"


def test_a_damaged_image_is_not_handed_out(store: ReleaseStore) -> None:
    store.add(release())
    digest = store.find("MAIN", "1.0.0").release.digest
    name = blob_name(digest)
    store.storage.write(name, image(1)[:-1] + b"x")
    with pytest.raises(StoreDamageError, match="damaged"):
        store.blob(digest)
    store.storage.remove(name)
    with pytest.raises(StoreDamageError, match="missing"):
        store.blob(digest)
    assert not store.add(release())  # Adding it again heals.
    assert store.blob(digest) == image(1)


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace('"size": 3000', '"size": 3001'),
        lambda text: text.replace("2026-01-31", "2025-01-31"),
        lambda text: text[:-20],
        lambda _text: "",
        lambda _text: "[]",
        lambda _text: "[" * 10_000,
        lambda text: text.replace('"release"', '"relaese"'),
        lambda text: text.replace('"1.0.0"', '"1.0.1"'),
        lambda text: text.replace("MAIN", "M\\ud800IN"),
    ],
)
@pytest.mark.parametrize("kind", [Entry, Index])
def test_what_was_changed_by_hand_is_refused(
    store: ReleaseStore, change: Any, kind: type[Entry] | type[Index]
) -> None:
    store.add(release())
    name = record_name("MAIN", "1.0.0") if kind is Entry else INDEX
    text = (store.storage.read(name, 10**6) or b"").decode()
    assert change(text) != text
    with pytest.raises(StoreDamageError):
        decode(change(text).encode(), kind)


def test_a_store_of_a_newer_fotabuild(store: ReleaseStore) -> None:
    store.add(release())
    values = json.loads(store.storage.read(INDEX, 10**6) or b"")
    with pytest.raises(ReleaseError, match="format 2"):
        decode(json.dumps({**values, "format": 2}).encode(), Index)


def test_a_record_under_anothers_name(store: ReleaseStore) -> None:
    store.add(release())
    data = store.storage.read(record_name("MAIN", "1.0.0"), 10**6) or b""
    store.storage.write(record_name("MAIN", "1.0.1"), data)
    store.storage.remove(INDEX)
    contents = store.contents()
    [(name, error)] = contents.damaged.items()
    assert (name, "another's name" in error.problem) == ("records/MAIN/1.0.1.json", True)
    assert [entry.release.version for entry in contents.entries] == ["1.0.0"]
    with pytest.raises(StoreDamageError, match="another's name"):
        contents.require_sound()


LARGE = {f"{number:02}" + "\xe9" * 900: "\xe9" * 1000 for number in range(32)}


def test_no_record_is_written_that_nobody_could_read(store: ReleaseStore) -> None:
    store.add(release())
    before = set(store.storage.names(""))
    with pytest.raises(ReleaseError, match=r"record of MAIN 1\.1\.0 would have \d+ bytes"):
        store.add(release("1.1.0", origin=LARGE))
    assert set(store.storage.names("")) == before


def test_no_index_is_written_that_nobody_could_read(
    store: ReleaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(release())
    before = set(store.storage.names(""))
    for limits in (ReadLimits(release_index=700), ReadLimits(releases=1)):
        monkeypatch.setattr(record, "READ_LIMITS", limits)
        with pytest.raises(ReleaseError, match="index of the store would have 2 releases"):
            store.add(release("1.1.0", seed=2))
        assert set(store.storage.names("")) == before


def test_a_record_that_only_its_image_can_heal(store: ReleaseStore) -> None:
    """Others are added in spite of it; adding it again heals it, and it stays retired."""
    store.add(release("1.0.0"))
    store.add(release("1.1.0", seed=2))
    store.retire("MAIN", "1.1.0", LATER)
    for bad in (b"?", b"x" * 100_000, b""):
        for name in (record_name("MAIN", "1.1.0"), INDEX):
            store.storage.write(name, bad)
        assert store.add(release("1.2.0", seed=3)) is (bad == b"?")
        assert [version for version, _ in index_of(store)] == ["1.0.0", "1.2.0"]
        with pytest.raises(StoreDamageError, match=r"MAIN 1\.1\.0 is damaged"):
            store.find("MAIN", "1.1.0")
        assert store.add(release("1.1.0", seed=2))
        assert index_of(store) == [("1.0.0", None), ("1.1.0", LATER), ("1.2.0", None)]
        assert check_store(store) == (3, [])


def test_a_lost_record_gives_no_way_to_another_image(store: ReleaseStore) -> None:
    store.add(release())
    name = record_name("MAIN", "1.0.0")
    before = store.storage.read(name, 10**6)
    store.storage.remove(name)
    with pytest.raises(ReleaseConflictError):
        store.add(release(seed=2))
    assert not store.add(release(date=LATER))
    assert store.storage.read(name, 10**6) == before


def test_many_at_once_are_all_or_nothing(store: ReleaseStore) -> None:
    store.add(release())
    before = set(store.storage.names(""))
    news = [release("2.0.0", seed=2), release("1.0.0", seed=3)]
    with pytest.raises(ReleaseConflictError):
        store.add_all([partial(copy, new) for new in news])
    assert set(store.storage.names("")) == before
    news[1] = release("2.1.0", seed=3, retired=LATER)
    assert store.add_all([partial(copy, new) for new in [release(), *news]]) == (False, True, True)
    assert index_of(store) == [("1.0.0", None), ("2.0.0", None), ("2.1.0", LATER)]


def test_one_of_many_is_in_memory(store: ReleaseStore) -> None:
    alive: list[weakref.ref[NewRelease]] = []
    most = 0

    def load(number: int) -> NewRelease:
        nonlocal most
        most = max(most, sum(one() is not None for one in alive))
        new = release(f"1.{number}.0", seed=number)
        alive.append(weakref.ref(new))
        return new

    store.add_all([partial(load, number) for number in range(20)])
    assert len(alive) == 40
    assert most <= 1


def test_a_file_that_changes_while_it_is_added(store: ReleaseStore) -> None:
    seeds = iter((1, 2))
    with pytest.raises(ReleaseError, match="changed while"):
        store.add_all([lambda: release(seed=next(seeds))])
    assert not store.storage.names("records")


def test_single_adds_read_only_what_the_index_lacks(
    store: ReleaseStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[str] = []
    kind = type(store.storage)
    read_all = kind.read_all

    def counted(self: Any, names: Any, limit: int) -> Any:
        found = read_all(self, names, limit)
        read.extend(found)
        return found

    monkeypatch.setattr(kind, "read_all", counted)
    for number in range(30):
        store.add(release(f"1.{number}.0"))
    assert not read
    store.storage.remove(INDEX)
    store.add(release("2.0.0"))
    assert len(read) == 60  # To compare, and again for the index.
