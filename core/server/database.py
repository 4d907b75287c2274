"""SQLite behind one thread that commits what waits together.

Every request hands in a function of the connection. The thread takes all functions that wait, runs
each in a savepoint, commits once with the disk flushed, and only then answers: a thousand devices
that report at once cost a few flushes, and nothing is acknowledged that a crash could lose.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from fotabuild.errors import DataFolderError
from fotabuild.server.schema import TABLES, VERSION

T = TypeVar("T")
Work = Callable[[sqlite3.Connection], T]
_BUSY_SECONDS = 10
_BATCH = 500


@dataclass(frozen=True)
class _Job:
    work: Work[Any]
    writes: bool
    future: Future[Any]


def connect(path: Path | None) -> sqlite3.Connection:
    """Open the database and make its tables when it is new.

    Args:
        path: the file; None keeps everything in memory.

    Raises:
        DataFolderError: not a database of ours, or one of a newer release.
    """
    connection = None
    try:
        if path is not None:
            # It holds the keys of encrypted payloads; its log gets the same mode.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
        connection = sqlite3.connect(
            ":memory:" if path is None else path,
            timeout=_BUSY_SECONDS,
            isolation_level=None,
            check_same_thread=False,
        )
        connection.row_factory = sqlite3.Row
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        connection.execute("BEGIN IMMEDIATE")
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        if version == 0:
            for statement in TABLES.split(";"):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except (sqlite3.Error, OSError) as error:
        if connection is not None:
            connection.close()
        raise DataFolderError(
            f"the database cannot be opened: {error}", file=path, remedy="use another data folder"
        ) from None
    if version not in (0, VERSION):
        connection.close()
        raise DataFolderError(
            f"the database has version {version}, this release of fotabuild knows {VERSION}",
            file=path,
            remedy="use a newer release, or another data folder",
        )
    return connection


#: How SQLite says that the storage is the trouble; Python 3.10 has no codes for it.
_STORAGE_PROBLEMS = (
    "database or disk is full",
    "disk I/O error",
    "attempt to write a readonly database",
    "unable to open database file",
    "database is locked",
)


def is_storage_problem(error: BaseException) -> bool:
    """Tell whether the system cannot store, which is no mistake of this program."""
    if isinstance(error, sqlite3.OperationalError):
        return str(error).startswith(_STORAGE_PROBLEMS)
    return isinstance(error, OSError)


class Database:
    """The one connection of the server, and its thread.

    Args:
        path: the file; None keeps everything in memory.
    """

    def __init__(self, path: Path | None) -> None:
        self._connection = connect(path)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._after: list[Callable[[], None]] = []
        self._thread = threading.Thread(target=self._run, name="database", daemon=True)
        self._thread.start()

    async def read(self, work: Work[T]) -> T:
        """Run a function that only reads, and return its result."""
        return await asyncio.wrap_future(self._put(work, writes=False))

    async def write(self, work: Work[T]) -> T:
        """Run a function that may write; its changes are on the disk when this returns.

        What the function raises is raised here, and undoes its changes.
        """
        return await asyncio.wrap_future(self._put(work, writes=True))

    def write_now(self, work: Work[T]) -> T:
        """Do as :meth:`write` for callers outside an event loop."""
        return self._put(work, writes=True).result()

    def after_commit(self, action: Callable[[], None]) -> None:
        """Have ``action`` called in the thread once the transaction is on the disk.

        For functions that :meth:`write` runs. If they fail, the action may be called all the same.
        """
        self._after.append(action)

    def run_here(self, work: Work[T]) -> T:
        """Run a read in the thread itself: for actions after a commit."""
        return work(self._connection)

    def close(self) -> None:
        """Finish what waits, and close the file."""
        self._jobs.put(None)
        self._thread.join()

    def _put(self, work: Work[T], *, writes: bool) -> Future[T]:
        future: Future[T] = Future()
        self._jobs.put(_Job(work, writes, future))
        return future

    def _run(self) -> None:
        while batch := self._take():
            self._execute([job for job in batch if job is not None])
            if None in batch:
                break
        self._connection.close()

    def _take(self) -> list[_Job | None]:
        batch = [self._jobs.get()]
        try:
            while batch[-1] is not None and len(batch) < _BATCH:
                batch.append(self._jobs.get_nowait())
        except queue.Empty:
            pass
        return batch

    def _execute(self, batch: list[_Job]) -> None:
        """Run a batch in one transaction, then answer."""
        answers: list[Callable[[], None]] = []
        self._after.clear()
        try:
            # A transaction that begins with reading could not go over to writing behind the back
            # of another process that adds a key meanwhile.
            writes = any(job.writes for job in batch)
            self._connection.execute("BEGIN IMMEDIATE" if writes else "BEGIN")
            answers = [self._answer(job) for job in batch]
            self._connection.execute("COMMIT")
            for action in self._after:
                action()
        except BaseException as error:
            if self._connection.in_transaction:
                with contextlib.suppress(sqlite3.Error):
                    self._connection.execute("ROLLBACK")
            for job in batch:
                if not job.future.done():
                    _fail(job.future, error)
            return
        for answer in answers:
            answer()

    def _answer(self, job: _Job) -> Callable[[], None]:
        future = job.future
        if not future.set_running_or_notify_cancel():
            return lambda: None
        self._connection.execute("SAVEPOINT job")
        try:
            result = job.work(self._connection)
        except BaseException as error:
            caught = error
            if not self._connection.in_transaction:
                raise  # SQLite has undone all of it; nobody of this batch is to be answered.
            self._connection.execute("ROLLBACK TO job")
            self._connection.execute("RELEASE job")
            return lambda: future.set_exception(caught)
        self._connection.execute("RELEASE job")
        return lambda: future.set_result(result)


def _fail(future: Future[Any], error: BaseException) -> None:
    if future.cancelled():
        return
    future.set_exception(error)
