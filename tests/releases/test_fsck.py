"""Whatever single file is damaged or lost is found, and healed where that is possible."""

from __future__ import annotations

import pytest

from fotabuild.releases.fsck import Problem, check_store
from fotabuild.releases.store import INDEX, ReleaseStore

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


FILES = (INDEX, "records/MAIN/1.0.0.json", "records/MAIN/1.1.0.json", "retired/MAIN/1.0.0.json")


def test_a_sound_store(filled: ReleaseStore) -> None:
    before = content(filled)
    assert check_store(filled) == (2, [])
    assert content(filled) == before
    assert sum(name.startswith("blobs/") for name in before) == 3


def test_an_empty_store(store: ReleaseStore) -> None:
    assert check_store(store) == (0, [])
    assert content(store) == {}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("damage", ["flip", "cut", "empty"])
def test_damaged_texts_are_restored(filled: ReleaseStore, name: str, damage: str) -> None:
    before = content(filled)
    data = before[name] or b""
    bad = {"flip": data.replace(b"1", b"7", 1), "cut": data[:-9], "empty": b""}[damage]
    assert bad != data
    filled.storage.write(name, bad)
    reported = check_store(filled, heal=False)[1]
    assert [finding.healed for finding in reported] == [False] * len(reported)
    assert filled.storage.read(name, 10**6) == bad
    if damage == "flip" and name.startswith("retired"):
        assert Problem.OUTDATED_INDEX in {finding.problem for finding in reported}
        return  # The note wins over the index: it says another date now.
    _, findings = check_store(filled)
    assert findings
    assert all(finding.healed for finding in findings)
    assert content(filled) == before
    assert check_store(filled) == (2, [])


@pytest.mark.parametrize("name", FILES[:3])
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
    assert [entry.release.version for entry in filled.entries()] == ["1.0.0"]
    assert sum(name.startswith("blobs/") for name in content(filled)) == 3


def test_record_and_index_both_damaged(filled: ReleaseStore) -> None:
    """The index is not written again without the release: a backup may still have its record."""
    for name in (INDEX, "records/MAIN/1.1.0.json"):
        filled.storage.write(name, b"?")
    _, findings = check_store(filled)
    healed = {finding.name: finding.healed for finding in findings if not finding.harmless}
    assert healed == {"records/MAIN/1.1.0.json": False, INDEX: False}


def test_leftovers_go_after_their_time(filled: ReleaseStore) -> None:
    before = content(filled)
    for name in ("blobs/ab/.x.0123.tmp", ".index.json.0123.tmp", "blobs/ab/" + "ab" * 32):
        filled.storage.write(name, b"x")
    filled.storage.write("retired/MAIN/3.0.0.json", b"x")
    findings = check_store(filled)[1]
    assert all(finding.harmless for finding in findings)
    assert {finding.name for finding in findings if not finding.healed} == set(
        content(filled)
    ) - set(before)
    check_store(filled, grace=-1)
    assert content(filled) == before
