"""Kill writers of a store. Run as ``python -m tests.releases.killed_writers MODE PLACE``.

A program of its own because it forks hundreds of children. The result is JSON on stdout.
"""

from __future__ import annotations

import importlib
import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from fotabuild.digest import sha256
from fotabuild.errors import ReleaseConflictError
from fotabuild.files import writing
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.contents import read_contents
from fotabuild.releases.folder import FolderStorage
from fotabuild.releases.fsck import check_store
from fotabuild.releases.layout import INDEX
from fotabuild.releases.places import open_storage
from fotabuild.releases.record import Index, decode, make_index
from fotabuild.releases.store import ReleaseStore

from ..kill.operations import Interceptor, Kind, Point, kill_points
from .samples import DATE, image, release

CONFLICT = 99


def _nothing(*_: object) -> None:
    """Do nothing."""


def in_child(work: Callable[[], None]) -> int:
    """Start work in a child process."""
    child = os.fork()
    if child:
        return child
    status = 70
    try:
        # The page cache outlives a killed process: waiting for the disk would show nothing.
        os.fsync = _nothing  # type: ignore[assignment]
        writing._CHUNK = 1000
        work()
        status = 0
    except ReleaseConflictError:
        status = CONFLICT
    finally:
        os._exit(status)


def wait_for(child: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def every_operation(folder: Path) -> dict[str, object]:
    """Kill a writer at each of its file operations, then look at what others see."""
    store = ReleaseStore(FolderStorage(folder / "store"))
    report = folder / "report"

    def write(interceptor: Interceptor) -> None:
        interceptor.install()
        store.add(release("2.0.0", seed=2, manifest=b"manifest"))
        store.retire("MAIN", "1.0.0", DATE)
        report.write_text(json.dumps([kind.value for kind in interceptor.kinds]))

    def start(point: Point | None) -> int:
        shutil.rmtree(folder / "store", ignore_errors=True)
        store.add(release("1.0.0"))
        return wait_for(in_child(lambda: write(Interceptor(point))))

    assert start(None) == 0
    kinds = [Kind(value) for value in json.loads(report.read_text())]
    # The report itself is written through the interceptor, but after it was counted.
    points = kill_points(kinds)
    bad = []
    for point in points:
        status = start(point)
        if status != -signal.SIGKILL:
            bad.append(f"{point}: ended with {status}")
        bad += [f"{point}: {problem}" for problem in look_at(store)]
    return {"points": len(points), "kinds": sorted({kind.value for kind in kinds}), "bad": bad}


def index_of(store: ReleaseStore) -> Index | None:
    data = store.storage.read(INDEX, READ_LIMITS.release_index)
    return None if data is None else decode(data, Index)


def look_at(store: ReleaseStore) -> list[str]:
    """Return what is wrong after a writer was killed, for readers, and after writing again."""
    wrong = []
    versions = [entry.release.version for entry in store.contents().entries]
    if versions not in (["1.0.0"], ["1.0.0", "2.0.0"]):
        wrong.append(f"there are {versions}")
    index = index_of(store)
    for entry in (*store.contents().entries, *(index.entries if index else ())):
        for digest in entry.release.digests:
            store.blob(digest)  # It raises when it is not what it should be.
    _, findings = check_store(store, grace=-1)
    wrong += [str(finding) for finding in findings if not finding.healed]
    store.add(release("2.0.0", seed=2, manifest=b"manifest"))
    store.retire("MAIN", "1.0.0", DATE)
    index = index_of(store)
    if (
        index is None
        or index.entries != read_contents(store.storage, trusted=False).entries
        or len(index.entries) != 2
    ):
        wrong.append("writing again does not complete it")
    if check_store(store) != (2, []):
        wrong.append("not sound in the end")
    return wrong


def together(place: str, rounds: int, each: int) -> dict[str, object]:
    """Let many writers add at once, some of them killed at any time.

    Args:
        place: folder or URL for the stores.
        rounds: how often.
        each: how many releases a writer adds for itself.
    """
    chance = random.Random(8)
    writers = 8
    bad: list[str] = []
    killed = lost = 0
    for number in range(rounds):
        there = f"{place}/{number}"
        statuses = _one_round(there, writers, each, chance)
        killed += statuses.count(-signal.SIGKILL)
        finished = [n for n, status in enumerate(statuses) if status in (0, CONFLICT)]
        if statuses.count(0) > 1 or any(s not in (0, CONFLICT, -9) for s in statuses):
            bad.append(f"round {number}: ended with {statuses}")
        wanted = {
            f"{n + 1}.0.{i}": sha256(image(10 * n + i)).hex() for n in finished for i in range(each)
        }
        missing, more = _look_at_all(there, wanted)
        lost += missing
        bad += [f"round {number}: {problem}" for problem in more]
    return {"rounds": rounds, "killed": killed, "lost": lost, "bad": bad}


def _one_round(place: str, writers: int, each: int, chance: random.Random) -> list[int]:
    """Return how the writers ended. None of fsspec's threads runs when they fork."""
    started, start = os.pipe()

    def write(number: int) -> None:
        store = ReleaseStore(open_storage(place))
        for index in range(each):
            store.add(release(f"{number + 1}.0.{index}", seed=10 * number + index))
            os.write(start, bytes([number]))
        # All want the same version; one of them gets it.
        store.add(release("99.0.0", seed=1000 + number))

    children = [in_child(partial(write, number)) for number in range(writers)]
    victims = set(chance.sample(range(writers), 2))
    while victims:
        # It has finished one release, and is at any point of the next.
        number = os.read(started, 1)[0]
        if number in victims:
            victims.remove(number)
            time.sleep(chance.random() * 0.02)
            os.kill(children[number], signal.SIGKILL)
    statuses = [wait_for(child) for child in children]
    os.close(started)
    os.close(start)
    return statuses


def _look_at_all(place: str, wanted: dict[str, str]) -> tuple[int, list[str]]:
    """Return how many releases are lost, and what else is wrong; in a process of its own.

    This one must not start threads of fsspec: it forks again.
    """
    reader, writer = os.pipe()

    def look() -> None:
        store = ReleaseStore(open_storage(place))
        there = {e.release.version: e.release.digest for e in store.contents().entries}
        lost = sum(there.get(version) != digest for version, digest in wanted.items())
        bad = []
        if "99.0.0" not in there:
            bad.append("nobody got the contested version")
        check_store(store, grace=-1)
        if check_store(store) != (len(there), []):
            bad.append("not sound in the end")
        if index_of(store) != make_index(read_contents(store.storage, trusted=False).entries):
            bad.append("the index is not that of the records")
        os.write(writer, json.dumps([lost, bad]).encode())

    status = wait_for(in_child(look))
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        lost, bad = json.loads(stream.read() or b'[0, ["nobody looked"]]')
    return lost, [*bad, *([] if status == 0 else [f"looking ended with {status}"])]


def main(mode: str, place: str) -> dict[str, object]:
    """Run one of the experiments."""
    if mode == "every-operation":
        return every_operation(Path(place))
    if mode == "in-a-folder":
        return together(place, rounds=5, each=6)
    importlib.import_module("s3fs")  # Once for all children.
    return together(place, rounds=1, each=2)


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(*sys.argv[1:])))
