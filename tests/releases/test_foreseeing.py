"""What a store says of a change before it is made; in a folder and behind fsspec."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import pytest

from fotabuild.errors import FotabuildError, ReleaseConflictError, ReleaseError
from fotabuild.releases.layout import record_name
from fotabuild.releases.new_release import NewRelease
from fotabuild.releases.storage import Storage
from fotabuild.releases.store import ReleaseStore

from .samples import DATE, copy, release

LATER = "2026-03-01"


def sources(*new: NewRelease) -> list[Callable[[], NewRelease]]:
    return [partial(copy, one) for one in new]


def files(storage: Storage) -> dict[str, bytes | None]:
    return {name: storage.read(name, 1 << 20) for name in storage.names("")}


def test_a_new_store_is_foreseen_and_not_made(store: ReleaseStore) -> None:
    found = store.foresee_all(sources(release("1.0.0"), release("1.1.0", retired=LATER)))
    assert [(entry.release.version, entry.retired, new) for entry, new in found] == [
        ("1.0.0", None, True),
        ("1.1.0", "2026-03-01T00:00:00Z", True),
    ]
    assert files(store.storage) == {}


def test_what_is_foreseen_comes_true(store: ReleaseStore) -> None:
    store.add(release("1.0.0", origin={"commit": "1a2b"}))
    before = files(store.storage)
    wanted = sources(release("1.0.0"), release("1.1.0", seed=2))
    foreseen = store.foresee_all(wanted)
    assert files(store.storage) == before
    assert store.add_all(wanted) == tuple(new for _, new in foreseen) == (False, True)
    for entry, _ in foreseen:
        assert store.find("MAIN", entry.release.version) == entry


@pytest.mark.parametrize(
    "wrong",
    [
        [release("1.0.0", seed=2)],
        [release("1.1.0"), release("1.1.0")],
        [release("1.1.0", date="yesterday")],
        [release("1.1"), release("1.2.0")],
        [release("1.1.0", image=b"")],
        [release("1.0.0", manifest=b"another")],
    ],
)
def test_what_is_refused_is_foreseen(store: ReleaseStore, wrong: list[NewRelease]) -> None:
    store.add(release("1.0.0", manifest=b"manifest"))
    before = files(store.storage)
    told = []
    for change in (store.foresee_all, store.add_all):
        with pytest.raises((ReleaseError, ReleaseConflictError)) as caught:
            change(sources(*wrong))
        told.append(str(caught.value))
    assert told[0] == told[1]
    assert files(store.storage) == before


def test_a_damaged_record_that_would_be_replaced_is_new(store: ReleaseStore) -> None:
    store.add(release("1.0.0"))
    for name in store.storage.names(""):
        if name.endswith("index.json"):
            store.storage.remove(name)
    store.storage.write(record_name("MAIN", "1.0.0"), b"damaged")
    [(_, foreseen)] = store.foresee_all(sources(release("1.0.0")))
    assert foreseen is store.add(release("1.0.0")) is True


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("retired", [True, False])
def test_marks_are_foreseen(store: ReleaseStore, first: bool, retired: bool) -> None:
    store.add(release("1.0.0"))
    if first:
        store.retire("MAIN", "1.0.0", DATE)
    before = files(store.storage)
    entry, changes = store.foresee_mark("MAIN", "1.0.0", LATER, retired=retired)
    assert files(store.storage) == before
    change = store.retire if retired else store.restore
    assert change("MAIN", "1.0.0", LATER) is changes is (retired is not first)
    assert store.find("MAIN", "1.0.0") == entry


@pytest.mark.parametrize(("version", "date"), [("9.0.0", LATER), ("1.0.0", "yesterday")])
def test_impossible_marks_are_foreseen(store: ReleaseStore, version: str, date: str) -> None:
    store.add(release("1.0.0"))
    told = []
    for change in (partial(store.foresee_mark, retired=True), store.retire):
        with pytest.raises(FotabuildError) as caught:
            change("MAIN", version, date)
        told.append(str(caught.value))
    assert told[0] == told[1]
