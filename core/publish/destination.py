"""Where a release goes: a folder, a storage, or a service that runs campaigns.

Which one is a matter of the text alone. A destination that does not work is an error; no other one
takes its place.
"""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

from fotabuild.publish.events import Report
from fotabuild.publish.folder import FolderDestination, Release
from fotabuild.publish.storage import StorageDestination


class Destination(Protocol):
    """A place that artifacts are copied to."""

    @property
    def place(self) -> str:
        """Its name, for people."""
        ...

    def names(self, release: Release) -> tuple[str, ...]:
        """Return the names that the files of a release get."""
        ...

    def check(self) -> None:
        """Raise one of our errors if it cannot be used, before anything is built."""
        ...

    def publish(self, release: Release, report: Report) -> tuple[str, ...]:
        """Bring a release there; return the names of its files."""
        ...


def copying_destination(place: str) -> Destination:
    """Return the destination for a folder, a ``file:`` URI or a storage URL."""
    scheme, separator, rest = place.partition(":")
    if separator and scheme == "file":
        return FolderDestination(Path(rest[2:] if rest.startswith("///") else rest))
    if "://" in place:
        return StorageDestination(place)
    return FolderDestination(Path(place))


def is_service(place: str) -> bool:
    """Return whether a place is the URL of a service."""
    return place.partition(":")[0].lower() in ("http", "https")
