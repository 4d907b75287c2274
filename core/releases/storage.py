"""What a store needs of the place where it keeps its files."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from typing import Protocol

from fotabuild.errors import ReleaseStorageError, StoreDamageError
from fotabuild.limits import READ_LIMITS

#: A release has up to five files and a few marks.
MOST_FILES = 8 * READ_LIMITS.releases


class Storage(Protocol):
    """Named files; names are relative, with ``/``. A file is there whole or not at all."""

    @property
    def place(self) -> str:
        """Folder or URL, for messages."""

    def read(self, name: str, limit: int) -> bytes | None:
        """Return a file of at most ``limit`` bytes, or None if there is none.

        Raises:
            StoreDamageError: it is too large, so it is not what a store wrote.
            ReleaseStorageError: the place cannot be used.
        """

    def read_all(self, names: Iterable[str], limit: int) -> Mapping[str, bytes | StoreDamageError]:
        """Return several small files, or what :meth:`read` would raise about their damage.

        Those that are missing are left out.
        """

    def write(self, name: str, data: bytes, *, fresh: bool = False) -> None:
        """Write or replace a file; one that is there with this content may stay.

        Args:
            name: the file.
            data: its content.
            fresh: its age starts now in any case.
        """

    def create(self, name: str, data: bytes) -> bool:
        """Write a file that must not be there yet; of several writers one gets True."""

    def remove(self, name: str) -> None:
        """Remove a file, if it is there."""

    def names(self, folder: str) -> dict[str, float]:
        """Return the files below a folder with their age in seconds.

        Raises:
            ReleaseStorageError: there are more than :data:`MOST_FILES`.
        """

    def alone(self) -> contextlib.AbstractContextManager[None]:
        """Keep other writers out, where the place can do that."""


def too_many_files(place: str) -> ReleaseStorageError:
    """Return the error about a place with more files than any store has."""
    return ReleaseStorageError(
        f"there are more than {MOST_FILES} files here",
        file=place,
        remedy="name the store itself, not a place that holds other things, too",
    )
