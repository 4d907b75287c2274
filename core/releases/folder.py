"""A store in a folder."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from fotabuild.errors import FileError, OutputConflictError, ReleaseStorageError, StoreDamageError
from fotabuild.files.locks import wait_for_lock
from fotabuild.files.reading import read_file
from fotabuild.files.writing import OutputSet, write_file
from fotabuild.releases.storage import MOST_FILES, too_many_files

_LOCK = ".lock"
#: How long others may hold a store: adding many large images takes minutes.
LOCK_SECONDS = 600.0


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
            if _is_readable_size(path, limit):
                raise ReleaseStorageError(error.problem, file=path) from None
            problem = f"this file of the store is too large or no file, the limit is {limit} bytes"
            raise StoreDamageError(problem, file=path) from None

    def read_all(self, names: Iterable[str], limit: int) -> Mapping[str, bytes | StoreDamageError]:
        """Return several small files; those that are missing are left out."""
        found: dict[str, bytes | StoreDamageError] = {}
        for name in names:
            try:
                data = self.read(name, limit)
            except StoreDamageError as error:
                found[name] = error
            else:
                if data is not None:
                    found[name] = data
        return found

    def write(self, name: str, data: bytes, *, fresh: bool = False) -> None:
        """Write a file, unless it is there with this content."""
        path = self.path(name)
        write_file(path, data, keep_unchanged=True)
        if fresh:
            # Another user's file has an age that is not ours to change; then it is written anew.
            try:
                os.utime(path)
            except OSError:
                write_file(path, data)

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
                if len(found) > MOST_FILES:
                    raise too_many_files(self.place)
        return found

    @contextlib.contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the lock of the folder; it ends with the process, also when that is killed.

        Raises:
            ReleaseStorageError: nobody can write here, or others hold the lock for too long.
        """
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            descriptor = os.open(self.folder / _LOCK, os.O_RDWR | os.O_CREAT, 0o666)
        except OSError as error:
            raise ReleaseStorageError(
                f"cannot write to the store: {error.strerror}", file=self.folder
            ) from None
        try:
            with contextlib.suppress(OSError):  # Not every network drive knows locks.
                wait_for_lock(descriptor, self.folder, LOCK_SECONDS, ReleaseStorageError)
            yield
        finally:
            os.close(descriptor)


def _is_readable_size(path: Path, limit: int) -> bool:
    """Whether nothing but rights or the disk keeps this file from being read."""
    try:
        return path.is_file() and path.stat().st_size <= limit
    except OSError:
        return True
