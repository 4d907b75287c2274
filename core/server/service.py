"""What every part of a running server works with."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sqlite3
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

from fotabuild.errors import DataFolderError
from fotabuild.server.blobs import BlobStore
from fotabuild.server.clock import Clock, SystemClock
from fotabuild.server.database import Database
from fotabuild.server.identifiers import new_id
from fotabuild.server.settings import ServerSettings

#: Name of the database in the data folder.
DATABASE_NAME = "server.sqlite3"

_USES = (
    "SELECT 1 FROM images WHERE encrypted_checksum = :blob"
    " UNION ALL SELECT 1 FROM images WHERE checksum = :blob AND encrypted_checksum IS NULL"
    " UNION ALL SELECT 1 FROM chunks WHERE checksum = :blob LIMIT 1"
)


class Wait:
    """One request of a device that waits.

    Attributes:
        event: set when there may be something for the device, or the wait is to end.
        replaced: the device waits with another request since.
    """

    def __init__(self) -> None:
        self.event = asyncio.Event()
        self.replaced = False


class Waiters:
    """Devices that wait for an update, each with one request."""

    def __init__(self) -> None:
        self._waits: dict[str, Wait] = {}
        self.closing = False

    @property
    def count(self) -> int:
        """How many devices wait."""
        return len(self._waits)

    @contextlib.contextmanager
    def wait(self, device_id: str) -> Iterator[Wait]:
        """Wait for a device; the request with which it waited before is released."""
        before, wait = self._waits.get(device_id), Wait()
        if before is not None:
            before.replaced = True
            before.event.set()
        if self.closing:
            wait.event.set()
        self._waits[device_id] = wait
        try:
            yield wait
        finally:
            if self._waits.get(device_id) is wait:
                del self._waits[device_id]

    def wake(self, device_ids: Iterable[str]) -> None:
        """Have these devices look."""
        for device_id in device_ids:
            if device_id in self._waits:
                self._waits[device_id].event.set()

    def close(self) -> None:
        """Let everybody go: the server stops."""
        self.closing = True
        self.wake(tuple(self._waits))


class Service:
    """A server's data and how it behaves.

    Args:
        settings: how it behaves.
        folder: where its data is; None keeps it until :meth:`close` only.
        clock: where it takes the time from.

    Attributes:
        seen: running campaigns that a client has looked at since they started.
        downloads: how often each payload was fetched, by its token, since the start.
        last_seen: when each device asked last, microseconds since 1970.
        campaign_failures: how often the campaigns could not be moved in a row.
        activity: set when a campaign may have something to do.
    """

    def __init__(
        self, settings: ServerSettings, folder: Path | None = None, clock: Clock | None = None
    ) -> None:
        self.settings = settings
        self.limits = settings.limits
        self.clock: Clock = clock or SystemClock()
        self._temporary = tempfile.TemporaryDirectory() if folder is None else None
        try:
            self.blobs = BlobStore(folder or Path(self._temporary.name if self._temporary else ""))
            self.database = Database(folder and folder / DATABASE_NAME)
        except OSError as error:
            raise DataFolderError(
                f"the data folder cannot be used: {error.strerror or error}", file=folder
            ) from None
        self.waiters = Waiters()
        self.seen: set[str] = set()
        self.downloads: Counter[str] = Counter()
        self.last_seen: dict[str, int] = {}
        self.campaign_failures = 0
        self.activity = asyncio.Event()
        self.account_id, self.session_secret = self.database.write_now(_account)
        self.database.write_now(
            lambda connection: self.blobs.sweep(lambda name: is_used(connection, name))
        )

    def close(self) -> None:
        """Finish what waits and close everything."""
        self.database.close()
        if self._temporary is not None:
            self._temporary.cleanup()

    def forget_device(self, identifier: str) -> None:
        """Let go of a device that was deleted; the campaigns look whether that ends them."""
        self.last_seen.pop(identifier, None)
        self.waiters.wake([identifier])
        self.activity.set()

    def release(self, *checksums: str) -> None:
        """Remove files that no row refers to any more, once that is on the disk."""

        def remove() -> None:
            for checksum in checksums:
                if not self.database.run_here(lambda c, blob=checksum: is_used(c, blob)):  # type: ignore[misc]
                    self.blobs.remove(checksum)

        self.database.after_commit(remove)

    def url(self, path: str) -> str:
        """Return the public URL of a path."""
        return self.settings.public_url + path


def is_used(connection: sqlite3.Connection, checksum: str) -> bool:
    """Tell whether a row refers to a file."""
    return connection.execute(_USES, {"blob": checksum}).fetchone() is not None


def _account(connection: sqlite3.Connection) -> tuple[str, bytes]:
    connection.execute(
        "INSERT OR IGNORE INTO account VALUES (1, ?, 0, ?)", (new_id(), secrets.token_bytes(32))
    )
    row = connection.execute("SELECT account_id, session_secret FROM account").fetchone()
    return row[0], row[1]
