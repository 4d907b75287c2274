"""Kill writers of a store. Run as ``python -m tests.releases.killed_writers MODE FOLDER``.

A program of its own because it forks hundreds of children. The result is JSON on stdout.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from fotabuild import files
from fotabuild.errors import ReleaseConflictError
from fotabuild.files import sha256
from fotabuild.releases.fsck import check_store
from fotabuild.releases.storage import FolderStorage
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
        files._CHUNK = 1000
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


def look_at(store: ReleaseStore) -> list[str]:
    """Return what is wrong after a writer was killed, for readers, and after writing again."""
    wrong = []
    versions = [entry.release.version for entry in store.entries()]
    if versions not in (["1.0.0"], ["1.0.0", "2.0.0"]):
        wrong.append(f"there are {versions}")
    index = store.index()
    for entry in (*store.entries(), *(index.entries if index else ())):
        for digest in entry.release.digests:
            store.blob(digest)  # It raises when it is not what it should be.
    _, findings = check_store(store, grace=-1)
    wrong += [str(finding) for finding in findings if not finding.healed]
    store.add(release("2.0.0", seed=2, manifest=b"manifest"))
    store.retire("MAIN", "1.0.0", DATE)
    index = store.index()
    if index is None or index.entries != store.entries() or len(index.entries) != 2:
        wrong.append("writing again does not complete it")
    if check_store(store) != (2, []):
        wrong.append("not sound in the end")
    return wrong


def together(folder: Path) -> dict[str, object]:
    """Let many writers add at once, some of them killed at any time."""
    store = ReleaseStore(FolderStorage(folder / "store"))
    chance = random.Random(8)
    writers, each = 8, 6
    bad: list[str] = []
    killed = rounds = 0
    lost = 0
    for rounds in range(1, 6):
        shutil.rmtree(folder / "store", ignore_errors=True)

        def write(number: int) -> None:
            for index in range(each):
                store.add(release(f"{number + 1}.0.{index}", seed=10 * number + index))
            # All want the same version; one of them gets it.
            store.add(release("99.0.0", seed=1000 + number))

        children = [in_child(lambda number=n: write(number)) for n in range(writers)]  # type: ignore[misc]
        victims = chance.sample(children, 2)
        for victim in victims:
            time.sleep(chance.random() * 0.05)
            os.kill(victim, signal.SIGKILL)
        statuses = [wait_for(child) for child in children]
        killed += statuses.count(-signal.SIGKILL)
        finished = [n for n, status in enumerate(statuses) if status in (0, CONFLICT)]
        if statuses.count(0) > 1 or any(s not in (0, CONFLICT, -9) for s in statuses):
            bad.append(f"round {rounds}: ended with {statuses}")
        check_store(store, grace=-1)
        there = {entry.release.version: entry.release.digest for entry in store.entries()}
        wanted = {
            f"{n + 1}.0.{i}": sha256(image(10 * n + i)).hex() for n in finished for i in range(each)
        }
        lost += sum(there.get(version) != digest for version, digest in wanted.items())
        index = store.index()
        if index is None or index.entries != store.entries():
            bad.append(f"round {rounds}: the index is not that of the records")
        if "99.0.0" not in there:
            bad.append(f"round {rounds}: nobody got the contested version")
    return {"rounds": rounds, "killed": killed, "lost": lost, "bad": bad}


if __name__ == "__main__":
    modes = {"every-operation": every_operation, "together": together}
    sys.stdout.write(json.dumps(modes[sys.argv[1]](Path(sys.argv[2]))))
