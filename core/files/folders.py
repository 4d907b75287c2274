"""Folders as a whole: locked against other builds, and flushed to the disk."""

from __future__ import annotations

import contextlib
import contextvars
import os
from collections.abc import Iterator
from pathlib import Path

from fotabuild.files.locks import wait_for_lock

#: How long others may hold a folder.
LOCK_SECONDS = 600.0
# Folders whose flush was put off, where somebody put it off.
_unflushed: contextvars.ContextVar[set[Path] | None] = contextvars.ContextVar(
    "_unflushed", default=None
)


@contextlib.contextmanager
def renames_flushed_together() -> Iterator[None]:
    """Flush each folder once at the end, instead of after every output inside.

    A build renames a dozen files in one folder, and flushing it takes longer than making some of
    them. A loss of power in between can undo renames, and with them the files' newest content, but
    never shows a file that is not whole.
    """
    folders: set[Path] = set()
    token = _unflushed.set(folders)
    try:
        yield
    finally:
        _unflushed.reset(token)
        sync_folders(folders)


def sync_folders(folders: set[Path]) -> None:
    """Make renames in all these folders durable, now or where that was put off to."""
    later = _unflushed.get()
    if later is not None:
        later |= folders
        return
    for folder in sorted(folders):
        sync_folder(folder)


@contextlib.contextmanager
def alone_in(folder: Path, seconds: float = LOCK_SECONDS) -> Iterator[None]:
    """Wait until nobody else is inside the same call for ``folder``, and keep others out.

    Not to be entered twice: a set of several outputs in that folder must be committed outside.
    Where there is no such folder, or the system has no locks, nobody is kept out.

    Args:
        folder: the folder.
        seconds: how long to wait for others.

    Raises:
        FileError: others are inside for longer.
    """
    with contextlib.ExitStack() as stack:
        with contextlib.suppress(OSError):
            descriptor = os.open(folder, os.O_RDONLY)
            stack.callback(os.close, descriptor)
            wait_for_lock(descriptor, folder, seconds)
        yield


def sync_folder(folder: Path) -> None:
    """Make renames durable. Not every system lets a folder be opened; then nothing is lost."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
