"""Writers at URLs, killed at every request, and several at once in many orders."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterator
from functools import partial

import fsspec
import pytest

from fotabuild.errors import ReleaseConflictError
from fotabuild.releases.contents import read_contents, read_index
from fotabuild.releases.fsck import check_store
from fotabuild.releases.places import open_storage
from fotabuild.releases.store import ReleaseStore

from .conftest import BUCKET
from .samples import DATE, release
from .turns import Work, Writer, in_turns, run_until


@pytest.fixture(params=["memory", "s3"])
def place(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Where stores are: in memory, which is quick, or on a real server."""
    if request.param == "memory":
        return "memory:/"
    for name, value in request.getfixturevalue("s3_environment").items():
        monkeypatch.setenv(name, value)
    return f"s3://{BUCKET}"


OWN = 2


@contextlib.contextmanager
def new_url(place: str) -> Iterator[str]:
    """A place for one store; what is in memory is forgotten afterwards."""
    url = f"{place}/{uuid.uuid4().hex}"
    yield url
    if place.startswith("memory"):
        fsspec.filesystem("memory").rm(url, recursive=True)


def write(store: ReleaseStore) -> None:
    store.add(release("2.0.0", seed=2, manifest=b"manifest"))
    store.retire("MAIN", "1.0.0", DATE)


def look_at(store: ReleaseStore) -> list[str]:
    """Return what is wrong after a writer was killed, for readers, and after writing again."""
    wrong = []
    contents = store.contents()
    versions = [entry.release.version for entry in contents.entries]
    if versions not in (["1.0.0"], ["1.0.0", "2.0.0"]) or contents.damaged:
        wrong.append(f"there are {versions}, damaged {contents.damaged}")
    if not {entry.record for entry in read_index(store.storage)[1]} <= contents.known.keys():
        wrong.append("the index knows more than the records")
    for entry in contents.entries:
        for digest in entry.release.digests:
            store.blob(digest)  # It raises when it is not what it should be.
    wrong += [str(found) for found in check_store(store, grace=-1)[1] if not found.healed]
    write(store)
    expected = [("1.0.0", DATE), ("2.0.0", None)]
    if [(e.release.version, e.retired) for e in read_index(store.storage)[1]] != expected:
        wrong.append("writing again does not complete it")
    if check_store(store) != (2, []):
        wrong.append("not sound in the end")
    return wrong


def test_killed_at_every_request(place: str, figure: Callable[[str], None]) -> None:
    def start(url: str, last: int | None) -> tuple[ReleaseStore, int]:
        store = ReleaseStore(open_storage(url))
        store.add(release("1.0.0"))
        return store, run_until(url, write, last)

    with new_url(place) as url:
        requests = start(url, None)[1]
    assert requests > 20
    # All points in memory; on the server a part of them.
    points = range(requests) if place.startswith("memory") else range(3, requests, 4)
    bad = []
    for point in points:
        with new_url(place) as url:
            store, made = start(url, point)
            assert made == point
            bad += [f"killed before request {point}: {problem}" for problem in look_at(store)]
    assert not bad, "\n".join(bad)
    figure(
        f"release store at {place.partition(':')[0]}://, writer killed: 0 bad of "
        f"{len(points)} of {requests} requests"
    )


def add_own(number: int, store: ReleaseStore) -> None:
    for index in range(OWN):
        version = f"{number + 2}.0.{index}"
        store.add(release(version, seed=10 * number + index))
        # What was added once is there for everybody from now on, whatever the others do.
        assert version in [
            e.release.version for e in ReleaseStore(store.storage).contents().entries
        ]
    store.add(release("99.0.0", seed=1000 + number))


def retire_and_back(store: ReleaseStore) -> None:
    for _ in range(2):
        store.retire("MAIN", "1.0.0", DATE)
        store.restore("MAIN", "1.0.0", DATE)
    store.retire("MAIN", "1.0.0", DATE)


@pytest.mark.parametrize("victims", [0, 2])
def test_many_orders(place: str, victims: int, figure: Callable[[str], None]) -> None:
    rounds = 60 if place.startswith("memory") else 2
    works: list[Work] = [
        *(partial(add_own, number) for number in range(3)),
        retire_and_back,
        check_store,
    ]
    killed = 0
    for seed in range(rounds):
        with new_url(place) as url:
            store = ReleaseStore(open_storage(url))
            store.add(release("1.0.0", seed=5000))
            writers = in_turns(url, works, seed, victims)
            killed += sum(writer.killed for writer in writers)
            _check_outcome(store, writers, seed)
            if not victims:
                complete = read_contents(store.storage, trusted=False).entries
                assert read_index(store.storage)[1] == complete, f"order {seed}"
            check_store(store, grace=-1)
            assert check_store(store)[1] == [], f"order {seed}"
    figure(
        f"release store at {place.partition(':')[0]}://, 5 writers in {rounds} orders, {killed} "
        "killed: 0 finished releases lost"
    )


def _check_outcome(store: ReleaseStore, writers: list[Writer], seed: int) -> None:
    """Everything that somebody finished is there, also when others were killed."""
    errors = [writer.error for writer in writers if writer.error is not None]
    unexpected = [error for error in errors if not isinstance(error, ReleaseConflictError)]
    assert not unexpected, f"order {seed}: {unexpected}"
    there = {entry.release.version: entry for entry in store.contents().entries}
    winners = []
    for number, writer in enumerate(writers[:3]):
        if writer.killed:
            continue
        for index in range(OWN):
            wanted = release(f"{number + 2}.0.{index}", seed=10 * number + index).release()
            assert there[wanted.version].release == wanted, f"order {seed}"
            store.blob(wanted.digest)
        if writer.error is None:
            winners.append(release("99.0.0", seed=1000 + number).release().digest)
    assert len(winners) <= 1, f"order {seed}"
    if winners:
        assert there["99.0.0"].release.digest == winners[0], f"order {seed}"
        store.blob(winners[0])
    if not writers[3].killed:
        assert there["1.0.0"].retired == DATE, f"order {seed}"
