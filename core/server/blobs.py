"""Uploaded files by their SHA-256: written beside, flushed, renamed.

A file comes and goes in the thread of the database only, with the row that refers to it: an upload
and a deletion of the same content cannot cross.
"""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import secrets
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType

from fotabuild.files.folders import sync_folder

_PIECE = 1 << 20
_BINARY = getattr(os, "O_BINARY", 0)


@dataclass(frozen=True)
class Staged:
    """A file that is complete and flushed, and has no final name yet.

    Attributes:
        path: where it is.
        checksum: SHA-256 in hexadecimal.
        size: bytes.
    """

    path: Path
    checksum: str
    size: int


class BlobWriter:
    """A file that is being received. Digests while writing; writes in another thread.

    As a context manager it removes what was not adopted.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _BINARY, 0o600)
        self._pieces: list[bytes] = []
        self._waiting = 0
        self._sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)
        self.size = 0

    def __enter__(self) -> BlobWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._close()
        with contextlib.suppress(OSError):
            self._path.unlink(missing_ok=True)

    @property
    def md5(self) -> bytes:
        """MD5 of the finished file: chunks carry it."""
        return self._md5.digest()

    def collect(self, piece: bytes) -> None:
        """Take a piece; :meth:`flush` has it written."""
        self._pieces.append(piece)
        self._waiting += len(piece)
        self.size += len(piece)

    async def flush(self) -> None:
        """Write what was taken once it is worth a change of thread."""
        if self._waiting >= _PIECE:
            await asyncio.to_thread(self._write)

    async def finish(self) -> Staged:
        """Write the rest and flush it to the disk."""
        return await asyncio.to_thread(self.finish_now)

    def finish_now(self) -> Staged:
        """Do as :meth:`finish`, in this thread."""
        self._write()
        os.fsync(self._descriptor)
        self._close()
        return Staged(self._path, self._sha256.hexdigest(), self.size)

    def _write(self) -> None:
        data = memoryview(b"".join(self._pieces))
        self._pieces.clear()
        self._waiting = 0
        self._sha256.update(data)
        self._md5.update(data)
        while data:
            data = data[os.write(self._descriptor, data) :]

    def _close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class BlobStore:
    """The folder of uploaded files.

    Args:
        folder: where they are; made when missing. Left-overs of uploads that a crash cut off are
            removed.
    """

    def __init__(self, folder: Path) -> None:
        self._blobs = folder / "blobs"
        self._incoming = folder / "incoming"
        for path in (self._blobs, self._incoming):
            path.mkdir(parents=True, exist_ok=True)
        for left in self._incoming.iterdir():
            left.unlink()

    def writer(self) -> BlobWriter:
        """Return a place for a file that is being received."""
        return BlobWriter(self._incoming / secrets.token_hex(16))

    def path(self, checksum: str) -> Path:
        """Return where a file is."""
        return self._blobs / checksum

    def adopt(self, staged: Staged) -> None:
        """Give a complete file its final name, durably. For the thread of the database."""
        os.replace(staged.path, self.path(staged.checksum))
        sync_folder(self._blobs)

    def remove(self, checksum: str) -> None:
        """Remove a file. For the thread of the database."""
        with contextlib.suppress(OSError):
            self.path(checksum).unlink(missing_ok=True)

    def sweep(self, used: Callable[[str], bool]) -> None:
        """Remove files that nothing refers to: a crash came between them and their row."""
        for path in self._blobs.iterdir():
            if not used(path.name):
                path.unlink()

    def pieces(self, checksum: str) -> Iterator[bytes]:
        """Yield the content of a file in pieces."""
        with open(self.path(checksum), "rb") as stream:
            while piece := stream.read(_PIECE):
                yield piece
