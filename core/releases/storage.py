"""Where a store keeps its files: a folder here, or any place that fsspec reaches."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Protocol
from urllib.parse import urlsplit

from fotabuild.errors import FileError, OutputConflictError, ReleaseStorageError
from fotabuild.files import OutputSet, read_file, write_file

try:
    import fcntl
except ImportError:  # Windows has no advisory locks.
    fcntl = None  # type: ignore[assignment]

_LOCK = ".lock"


class Storage(Protocol):
    """Named files; names are relative, with ``/``. A file is there whole or not at all."""

    @property
    def place(self) -> str:
        """Folder or URL, for messages."""

    def read(self, name: str, limit: int) -> bytes | None:
        """Return a file of at most ``limit`` bytes, or None if there is none."""

    def read_all(self, names: Iterable[str], limit: int) -> dict[str, bytes]:
        """Return several small files; those that are missing are left out."""

    def write(self, name: str, data: bytes) -> None:
        """Write or replace a file."""

    def create(self, name: str, data: bytes) -> bool:
        """Write a file that must not be there yet; of several writers one gets True."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def names(self, folder: str) -> dict[str, float]:
        """Return the files below a folder with their age in seconds."""

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Keep other writers out, where the place can do that."""


def is_url(place: str) -> bool:
    """Whether a place is a URL; ``C:`` before a folder is none."""
    return len(urlsplit(place).scheme) > 1 and "://" in place


def open_storage(place: str, base: Path | None = None) -> Storage:
    """Return the storage at a folder or URL.

    Args:
        place: a folder, or a URL of fsspec such as ``s3://bucket/releases``.
        base: where a relative folder starts.

    Raises:
        ReleaseStorageError: a URL, and the extra for those is not installed; or it holds a
            password.
    """
    if not is_url(place):
        return FolderStorage((base or Path.cwd()) / place)
    from fotabuild.releases.remote import RemoteStorage

    return RemoteStorage(place)


class FolderStorage:
    """A folder, also on a network drive that knows locks."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @property
    def place(self) -> str:
        """The folder."""
        return str(self.folder)

    def path(self, name: str) -> Path:
        """Return the path of a file."""
        return self.folder / name

    def read(self, name: str, limit: int) -> bytes | None:
        """Return a file, or None if there is none."""
        path = self.path(name)
        try:
            return read_file(path, limit, "file of the store")
        except FileError as error:
            if not os.path.lexists(path):
                return None
            raise ReleaseStorageError(error.problem, file=path) from None

    def read_all(self, names: Iterable[str], limit: int) -> dict[str, bytes]:
        """Return several small files; those that are missing are left out."""
        found = ((name, self.read(name, limit)) for name in names)
        return {name: data for name, data in found if data is not None}

    def write(self, name: str, data: bytes) -> None:
        """Write a file, unless it is there with this content."""
        write_file(self.path(name), data, keep_unchanged=True)

    def create(self, name: str, data: bytes) -> bool:
        """Write a file that must not be there yet."""
        outputs = OutputSet()
        outputs.add(self.path(name), data, only_new=True)
        try:
            outputs.commit()
        except OutputConflictError:
            return False
        return True

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""
        try:
            self.path(name).unlink(missing_ok=True)
        except OSError as error:
            raise ReleaseStorageError(
                f"cannot remove: {error.strerror}", file=self.path(name)
            ) from None

    def names(self, folder: str) -> dict[str, float]:
        """Return the files below a folder with their age, temporary ones too."""
        found = {}
        now = time.time()
        for parent, _, files in os.walk(self.folder / folder):
            for file in files:
                path = Path(parent, file)
                with contextlib.suppress(OSError):  # Renamed meanwhile.
                    found[path.relative_to(self.folder).as_posix()] = now - path.stat().st_mtime
        return found

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock of the folder; it ends with the process, also when that is killed."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise ReleaseStorageError(
                f"cannot write to the store: {error.strerror}", file=self.folder
            ) from None
        try:
            if fcntl is not None:
                with contextlib.suppress(OSError):  # Not every network drive knows locks.
                    fcntl.flock(descriptor, fcntl.LOCK_EX)
            yield
        finally:
            os.close(descriptor)
