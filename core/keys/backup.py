"""Keys and certificates are never lost: what replaces one keeps it under another name first."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from fotabuild.errors import FileError
from fotabuild.files.writing import write_file

_MOST_BACKUPS = 1000


def keep_old(path: Path, data: bytes, *, private: bool) -> Path:
    """Write ``data`` beside ``path`` under the next free name, which nobody else can take.

    Args:
        path: the file that is to be replaced, such as ``update.key.pem``.
        data: its content, as it was read.
        private: create the copy with mode 0600.

    Returns:
        The name of the copy, such as ``update.key.old-1.pem``.

    Raises:
        FileError: it cannot be written, or there are a thousand already.
    """
    for number in range(1, _MOST_BACKUPS):
        backup = path.with_name(f"{path.stem}.old-{number}{path.suffix}")
        try:
            # Takes the name, or finds it taken; a killed run leaves an empty file behind.
            os.close(os.open(backup, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        except FileExistsError:
            continue
        except OSError as error:
            raise FileError(f"cannot write: {error.strerror or error}", file=backup) from None
        try:
            write_file(backup, data, private=private)
        except BaseException:
            with contextlib.suppress(OSError):
                backup.unlink()
            raise
        return backup
    raise FileError(f"there are {_MOST_BACKUPS} old ones already", file=path)
