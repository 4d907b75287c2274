"""Find out what is in a folder of artifacts."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import unquote, urlsplit

from fotabuild.errors import ReleaseFolderError
from fotabuild.limits import READ_LIMITS
from fotabuild.report.artifact import Artifact, ArtifactKind, read_artifact

# What a build leaves behind that was killed while it wrote (fotabuild.files.writing).
_LEFTOVER = re.compile(r"\.[^\ud800-\udfff]{0,50}\.[0-9a-f]{12}\.tmp")


@dataclass(frozen=True)
class ReleaseFolder:
    """Everything that is in a folder of artifacts.

    Attributes:
        path: the folder.
        artifacts: the files in it and below, sorted by name.
        leftovers: names of half-written files of builds that were killed.
    """

    path: Path
    artifacts: tuple[Artifact, ...]
    leftovers: tuple[str, ...] = ()

    def with_digest(self, digest: bytes) -> Artifact | None:
        """Return the first file with this SHA-256."""
        return self._by_digest.get(digest)

    def named(self, name: str) -> Artifact | None:
        """Return the file with this name."""
        return self._by_name.get(name)

    def at_uri(self, uri: str) -> Artifact | None:
        """Return the first file, in whatever folder, that is called like the end of a URI."""
        try:
            path = urlsplit(uri).path
        except ValueError:
            path = uri
        return self._by_last_name.get(unquote(path).rpartition("/")[2])

    def payload(self, digest: bytes, uri: str) -> Artifact | None:
        """Return a file with this SHA-256, where there are several the one that a URI names."""
        named = self.at_uri(uri)
        return named if named and named.digest == digest else self.with_digest(digest)

    def of_kind(self, *kinds: ArtifactKind) -> tuple[Artifact, ...]:
        """Return the files of these kinds."""
        return tuple(item for item in self.artifacts if item.kind in kinds)

    @cached_property
    def _by_digest(self) -> dict[bytes, Artifact]:
        return {item.digest: item for item in reversed(self.artifacts)}

    @cached_property
    def _by_name(self) -> dict[str, Artifact]:
        return {item.name: item for item in self.artifacts}

    @cached_property
    def _by_last_name(self) -> dict[str, Artifact]:
        return {item.last_name: item for item in reversed(self.artifacts)}


def read_folder(folder: Path) -> ReleaseFolder:
    """Look at every file in ``folder`` and below, also those whose names begin with a dot.

    Raises:
        ReleaseFolderError: no folder, too many files in it, a link, or a name that is not
            UTF-8.
        FileError: a file cannot be read, or is too large.
    """
    if not folder.is_dir():
        raise ReleaseFolderError("this is not a folder", file=folder, remedy="give one")
    artifacts, leftovers = [], []
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if _LEFTOVER.fullmatch(path.name):
            leftovers.append(name)
        else:
            artifacts.append(read_artifact(path, name))
    return ReleaseFolder(
        folder,
        tuple(sorted(artifacts, key=lambda artifact: artifact.name)),
        tuple(sorted(leftovers)),
    )


def read_files(folder: Path, paths: tuple[Path, ...]) -> ReleaseFolder:
    """Look at these files alone; they are in ``folder`` or below it."""
    artifacts = [
        read_artifact(path, Path(os.path.relpath(path, folder)).as_posix()) for path in paths
    ]
    return ReleaseFolder(folder, tuple(sorted(artifacts, key=lambda artifact: artifact.name)))


def _files(folder: Path) -> Iterator[Path]:
    count = 0

    def refuse(error: OSError) -> None:
        raise ReleaseFolderError(f"cannot look inside: {error.strerror}", file=error.filename)

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders.sort()
        for name in (*folders, *sorted(names)):
            if Path(place, name).is_symlink():
                raise ReleaseFolderError(
                    "this is a link, which is no artifact: its content could change",
                    file=Path(place, name),
                    remedy="copy the files themselves",
                )
        for name in sorted(names):
            count += 1
            if count > READ_LIMITS.release_files:
                raise ReleaseFolderError(
                    f"more than {READ_LIMITS.release_files} files", file=folder
                )
            yield Path(place, name)
