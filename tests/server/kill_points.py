"""Uploads and deletions, ended at every operation. ``python -m tests.server.kill_points FOLDER``.

A program of its own because it forks: one child counts the operations (writes, flushes, renames,
removals, statements of the database), then one child for each of them dies there, without any
clean-up. After each, the data is opened again and compared with what the child had been told was
done. The result is JSON on stdout.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fotabuild.server import database
from fotabuild.server.images import add_image, delete_image
from fotabuild.server.service import Service, is_used
from fotabuild.server.settings import ServerSettings

SETTINGS = ServerSettings(public_url="http://127.0.0.1:1")
ONE, OTHER = b"one" * 1000, b"other" * 1000
#: In this order: two of the same content, one of another, the first two deleted, one again.
ACTIONS = (("add", ONE), ("add", ONE), ("add", OTHER), ("delete", 0), ("delete", 1), ("add", ONE))


class Counter:
    """Counts operations, and ends the process at one of them."""

    def __init__(self, last: int | None) -> None:
        self.count, self._last = 0, last

    def step(self, *_: object) -> None:
        self.count += 1
        if self.count == self._last:
            os._exit(9)

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **options: Any) -> Any:
            self.step()
            return function(*args, **options)

        return counted

    def install(self) -> None:
        for name in ("write", "fsync", "replace", "unlink", "open"):
            setattr(os, name, self.before(getattr(os, name)))
        plain = database.connect

        def connect(path: Path | None) -> sqlite3.Connection:
            connection = plain(path)
            connection.set_trace_callback(self.step)
            return connection

        database.connect = connect


async def work(service: Service, tell: Callable[[str], None]) -> None:
    """Do the actions; tell about each when it is acknowledged."""
    identifiers: list[str] = []
    for verb, what in ACTIONS:
        if verb == "delete":
            assert isinstance(what, int)
            identifier = identifiers[what]
            tell(f"deleting {identifier}")
            await service.database.write(lambda c, i=identifier: delete_image(c, service, i))  # type: ignore[misc]
            tell(f"deleted {identifier}")
            continue
        assert isinstance(what, bytes)
        with service.blobs.writer() as writer:
            writer.collect(what)
            staged = await writer.finish()
            row = await service.database.write(
                lambda c, s=staged: add_image(  # type: ignore[misc]
                    c, service, name="x", description="", file_name="x", plain=s, encrypted=None
                )
            )
        identifiers.append(row["id"])
        tell(f"added {row['id']} {hashlib.sha256(what).hexdigest()}")


def child(folder: Path, log: Path, last: int | None) -> None:
    """Run in a forked process; never returns."""
    write = os.write
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    counter = Counter(last)
    counter.install()

    def tell(text: str) -> None:
        write(descriptor, f"{text}\n".encode())

    service = Service(SETTINGS, folder)
    asyncio.run(work(service, tell))
    service.close()
    tell(f"operations {counter.count}")
    os._exit(0)


def run(folder: Path, last: int | None) -> tuple[int, list[str]]:
    """Run a child to its end; return its status and what it was told."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    log = folder.parent / "log"
    if (process := os.fork()) == 0:
        try:
            child(folder, log, last)
        finally:
            os._exit(70)
    _, status = os.waitpid(process, 0)
    return os.waitstatus_to_exitcode(status), log.read_text().splitlines()


def problems(folder: Path, told: list[str]) -> list[str]:
    """Open the data again and compare."""
    service = Service(SETTINGS, folder)
    found: list[str] = []
    try:
        rows = service.database.write_now(
            lambda c: {row["id"]: row["checksum"] for row in c.execute("SELECT * FROM images")}
        )
        gone = {line.split()[1] for line in told if line.startswith("delet")}
        for line in told:
            words = line.split()
            if words[0] == "added" and words[1] not in gone and rows.get(words[1]) != words[2]:
                found.append(f"lost: {line}")
            if words[0] == "deleted" and words[1] in rows:
                found.append(f"back again: {line}")
        for checksum in set(rows.values()):
            path = service.blobs.path(checksum)
            if not path.is_file() or hashlib.sha256(path.read_bytes()).hexdigest() != checksum:
                found.append(f"no content: {checksum}")
        for path in (folder / "blobs").iterdir():
            if not service.database.write_now(lambda c, n=path.name: is_used(c, n)):  # type: ignore[misc]
                found.append(f"nobody's: {path.name}")
        if any((folder / "incoming").iterdir()):
            found.append("left over in incoming")
    finally:
        service.close()
    return found


def main(folder: Path) -> dict[str, Any]:
    """Count, then end a child at every operation."""
    status, told = run(folder / "data", None)
    assert (status, told[-1].split()[0]) == (0, "operations"), told
    count = int(told[-1].split()[1])
    bad: list[str] = []
    for last in range(1, count + 1):
        status, told = run(folder / "data", last)
        if status != 9:
            bad.append(f"operation {last}: status {status}")
        bad += [f"operation {last}: {text}" for text in problems(folder / "data", told)]
    return {"points": count, "bad": bad}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]))))
