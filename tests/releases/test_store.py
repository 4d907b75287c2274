"""Adding, finding, retiring; in a folder and behind fsspec."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fotabuild.errors import (
    ReleaseConflictError,
    ReleaseError,
    StoreDamageError,
    UnknownReleaseError,
)
from fotabuild.files import sha256
from fotabuild.releases.record import Entry, Index, decode
from fotabuild.releases.store import INDEX, ReleaseStore, blob_name, record_name

from .samples import DATE, image, release

LATER = "2026-03-01T00:00:00Z"


def index_of(store: ReleaseStore) -> list[tuple[str, str | None]]:
    index = store.index()
    assert index is not None
    return [(entry.release.version, entry.retired) for entry in index.entries]


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
    index = store.index()
    assert index is not None
    assert index.entries == store.entries()


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
    name = record_name("records", component, "1.0.0")
    assert len(name.split("/")) == 3
    assert ".." not in name
    assert name != record_name("records", "a", "1.0.0")


def test_retired_and_back(store: ReleaseStore) -> None:
    store.add(release())
    assert store.retire("MAIN", "1.0.0", LATER)
    assert not store.retire("MAIN", "1.0.0", DATE)
    assert index_of(store) == [("1.0.0", LATER)]
    assert store.blob(store.find("MAIN", "1.0.0").release.digest) == image(1)
    assert store.restore("MAIN", "1.0.0")
    assert not store.restore("MAIN", "1.0.0")
    assert index_of(store) == [("1.0.0", None)]


def test_unknown_releases(store: ReleaseStore) -> None:
    with pytest.raises(UnknownReleaseError, match="no MAIN 9"):
        store.find("MAIN", "9.0.0")
    with pytest.raises(UnknownReleaseError, match="no MAIN 9"):
        store.restore("MAIN", "9.0.0")
    with pytest.raises(UnknownReleaseError, match="no MAIN 9"):
        store.retire("MAIN", "9.0.0", DATE)
    assert store.storage.names("retired") == {}


@pytest.mark.parametrize(
    "values",
    [
        {"version": "1.0"},
        {"version": "0.0.0"},
        {"version": "1.0.0/../../x"},
        {"date": "yesterday"},
        {"date": "2026-02-31T00:00:00Z"},
        {"image": b""},
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
    name = record_name("records", "MAIN", "1.0.0") if kind is Entry else INDEX
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
    data = store.storage.read(record_name("records", "MAIN", "1.0.0"), 10**6) or b""
    store.storage.write(record_name("records", "MAIN", "1.0.1"), data)
    with pytest.raises(StoreDamageError, match="another's name"):
        store.entries()
