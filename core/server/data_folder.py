"""The data folder: one server at a time, and the key that the first start makes."""

from __future__ import annotations

import os
import sqlite3
import sys
from pathlib import Path
from types import TracebackType

from fotabuild.errors import DataFolderError, FileError
from fotabuild.files.locks import try_lock
from fotabuild.files.reading import read_file
from fotabuild.files.writing import write_file
from fotabuild.server.access import Role, add_key, list_keys, new_token
from fotabuild.server.service import DATABASE_NAME, Service

if sys.platform == "win32":
    import msvcrt

_LOCK_NAME = "server.lock"
_KEY_NAME = "access-key"
_ENROLMENT_NAME = "enrolment-token"
_TOKEN_LIMIT = 4096


class DataFolder:
    """A data folder that is in use until the end of the ``with`` block.

    The lock is the system's: it ends with the process, however that ends.

    Args:
        path: the folder; made when missing, for its owner only.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = -1

    def __enter__(self) -> DataFolder:
        try:
            self.path.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._descriptor = os.open(self.path / _LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o600)
        except OSError as error:
            raise DataFolderError(
                f"the data folder cannot be used: {error.strerror or error}", file=self.path
            ) from None
        try:
            alone = try_lock(self._descriptor)
            if sys.platform == "win32":  # It has locks of another kind.
                msvcrt.locking(self._descriptor, msvcrt.LK_NBLCK, 1)
        except OSError:
            alone = False
        if not alone:
            os.close(self._descriptor)
            raise DataFolderError(
                "another server works with this data folder",
                file=self.path,
                remedy="stop it, or give another folder with --data",
            ) from None
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        os.close(self._descriptor)


def database_of(path: Path) -> Path:
    """Return the database of a data folder that a server has been started with.

    Raises:
        DataFolderError: there is none.
    """
    database = path / DATABASE_NAME
    if not database.is_file():
        raise DataFolderError(
            "there is no data of a server here",
            file=path,
            remedy="start 'fotabuild serve' once, or give its folder with --data",
        )
    return database


def make_first_key(service: Service, path: Path) -> tuple[Path, str] | None:
    """Make a key if there is none yet, and write it to a file that its owner can read.

    The file is there before the key works: a crash between the two leaves a file that the next
    start writes again.

    Returns:
        The file and the key; None when there were keys.
    """

    def work(connection: sqlite3.Connection) -> tuple[Path, str] | None:
        if list_keys(connection):
            return None
        now, limits = service.clock.now(), service.limits
        _, token = add_key(connection, "first", Role.FULL, now, limits)
        file = path / _KEY_NAME
        write_file(file, f"{token}\n".encode(), private=True)
        return file, token

    return service.database.write_now(work)


def enrolment_token(path: Path | None, folder: Path | None) -> tuple[str, Path] | None:
    """Return the token that new devices must bring, with its file.

    Args:
        path: the file with the token, or None.
        folder: where to keep one of our own when none is given; None for no token then.

    Raises:
        FileError: the file cannot be read, or holds no token.
    """
    if path is None and folder is None:
        return None
    file = path or (folder or Path()) / _ENROLMENT_NAME
    if path is None and not file.exists():
        write_file(file, f"{new_token()}\n".encode(), private=True)
    try:
        token = read_file(file, _TOKEN_LIMIT, "enrolment token").decode().strip()
    except UnicodeDecodeError:
        token = ""
    if not (16 <= len(token) <= 512 and token.isascii() and token.isprintable()):
        raise FileError("no enrolment token: 16 to 512 characters of ASCII are needed", file=file)
    return token, file
