"""A folder as destination: the artifacts, and an index of them for those who serve the folder."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from fotabuild.digest import sha256
from fotabuild.errors import FileError
from fotabuild.files.reading import read_file
from fotabuild.files.writing import OutputSet
from fotabuild.limits import READ_LIMITS
from fotabuild.publish.events import Copied, Report

_FORMAT = 1


@dataclass(frozen=True)
class Artifact:
    """A file of a release.

    Attributes:
        path: the file.
        kind: what it is, such as ``manifest``.
        since: the version that a delta starts from.
    """

    path: Path
    kind: str
    since: str | None = None


@dataclass(frozen=True)
class Release:
    """What is published.

    Attributes:
        name: what its file names begin with.
        version: its version.
        component: what it updates.
        vendor_id: of its devices, 32 hexadecimal digits.
        class_id: of its devices, 32 hexadecimal digits.
        artifacts: its files.
    """

    name: str
    version: str
    component: str
    vendor_id: str
    class_id: str
    artifacts: tuple[Artifact, ...]


def index_names(release: Release) -> tuple[str, str]:
    """Return the names of a release's index, and of that of the latest release."""
    return f"{release.name}-{release.version}.index.json", f"{release.name}.latest.json"


def file_names(release: Release) -> list[str]:
    """Return the names of all files of a release, the indexes last."""
    return [artifact.path.name for artifact in release.artifacts] + list(index_names(release))


def make_index(release: Release, contents: Sequence[bytes]) -> bytes:
    """Return the index: digests and sizes of all files. The same release, the same bytes."""
    files = [
        {
            "file": artifact.path.name,
            "kind": artifact.kind,
            **({} if artifact.since is None else {"from": artifact.since}),
            "sha256": sha256(data).hex(),
            "size": len(data),
        }
        for artifact, data in zip(release.artifacts, contents, strict=True)
    ]
    index = {
        "format": _FORMAT,
        "version": release.version,
        "component": release.component,
        "vendor-id": release.vendor_id,
        "class-id": release.class_id,
        "files": files,
    }
    return (json.dumps(index, indent=2) + "\n").encode()


def read_artifacts(release: Release) -> list[bytes]:
    """Read all files of a release.

    Raises:
        FileError: one is missing or too large.
    """
    return [
        read_file(artifact.path, READ_LIMITS.package, artifact.kind)
        for artifact in release.artifacts
    ]


class FolderDestination:
    """Copies a release into a folder; all files appear together, and the latest index last.

    Args:
        folder: where to.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def place(self) -> str:
        """The folder."""
        return str(self._folder)

    def names(self, release: Release) -> tuple[str, ...]:
        """Return the names that the files of a release get."""
        return tuple(str(self._folder / name) for name in file_names(release))

    def check(self) -> None:
        """Refuse a place that cannot be a folder, before anything is built."""
        for place in (self._folder, *self._folder.parents):
            if place.is_dir():
                return
            if place.exists():
                raise FileError("a file stands where the folder should be", file=place)

    def publish(self, release: Release, report: Report) -> tuple[str, ...]:
        """Copy; return the names of all files.

        Raises:
            FileError: a file cannot be read or written; nothing has its final name then.
        """
        contents = read_artifacts(release)
        index = make_index(release, contents)
        files = [
            (self._folder / artifact.path.name, data)
            for artifact, data in zip(release.artifacts, contents, strict=True)
        ]
        files += [(self._folder / name, index) for name in index_names(release)]
        before = {path: _size(path) for path, _ in files}
        outputs = OutputSet()
        for path, data in files:
            outputs.add(path, data, keep_unchanged=True)
        outputs.commit()
        for path, data in files:
            report(Copied(str(path), len(data), changed=before[path] != _size(path)))
        return self.names(release)


def _size(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_mtime_ns
