"""Find out what is in a folder of artifacts."""

from __future__ import annotations

import enum
import hashlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from fotabuild.errors import FotabuildError, ReleaseFolderError
from fotabuild.files import read_file
from fotabuild.inspection import ANYTHING, kind_of
from fotabuild.limits import READ_LIMITS

PROVENANCE_SUFFIX = ".intoto.json"
SBOM_SUFFIX = ".cdx.json"
REPORT_SUFFIXES = ("report.html", "report.json")


class ArtifactKind(enum.Enum):
    """What files of a release are."""

    MANIFEST = "manifest v3"
    MANIFEST_V1 = "manifest v1"
    PATCH = "delta patch"
    SIDE_FILE = "patch side file"
    PACKAGE = "combined package"
    PROVENANCE = "provenance"
    SBOM = "bill of materials"
    REPORT = "report"
    RECOGNISED = "recognised"
    FILE = "file"


_BY_SUFFIX = {
    PROVENANCE_SUFFIX: ArtifactKind.PROVENANCE,
    SBOM_SUFFIX: ArtifactKind.SBOM,
    **dict.fromkeys(REPORT_SUFFIXES, ArtifactKind.REPORT),
}
_BY_CONTENT = {
    kind.value: kind
    for kind in (
        ArtifactKind.MANIFEST,
        ArtifactKind.MANIFEST_V1,
        ArtifactKind.PATCH,
        ArtifactKind.SIDE_FILE,
        ArtifactKind.PACKAGE,
    )
}
# What a name promises; damage must not turn a manifest into a mere file.
_PROMISES = {
    ".manifest": "manifest",
    ".patch": ArtifactKind.PATCH.value,
    ".package.tar": ArtifactKind.PACKAGE.value,
}


@dataclass(frozen=True)
class Artifact:
    """A file of a release.

    Attributes:
        name: its path in the folder, with slashes.
        path: where it is.
        kind: what it is.
        description: the same for people, also where ``kind`` has no word of its own.
        size: in bytes.
        digest: its SHA-256.
    """

    name: str
    path: Path
    kind: ArtifactKind
    description: str
    size: int
    digest: bytes

    @property
    def broken_promise(self) -> str | None:
        """What the name says that it is, where the content is nothing that we know."""
        if self.kind is not ArtifactKind.FILE:
            return None
        found = (what for suffix, what in _PROMISES.items() if self.name.endswith(suffix))
        return next(found, None)

    @property
    def is_covered(self) -> bool:
        """Whether statements on the origin speak of it: not of themselves, nor of reports."""
        return self.kind not in (ArtifactKind.PROVENANCE, ArtifactKind.REPORT)


@dataclass(frozen=True)
class ReleaseFolder:
    """Everything that is in a folder of artifacts, sorted by name."""

    path: Path
    artifacts: tuple[Artifact, ...]

    def with_digest(self, digest: bytes) -> Artifact | None:
        """Return the first file with this content."""
        return next((item for item in self.artifacts if item.digest == digest), None)

    def named(self, name: str) -> Artifact | None:
        """Return the file with this name."""
        return next((item for item in self.artifacts if item.name == name), None)

    def of_kind(self, *kinds: ArtifactKind) -> tuple[Artifact, ...]:
        """Return the files of these kinds."""
        return tuple(item for item in self.artifacts if item.kind in kinds)


def read_folder(folder: Path) -> ReleaseFolder:
    """Look at every file in ``folder`` and below. Names that begin with a dot are left out.

    Raises:
        ReleaseFolderError: no folder, too many files in it, or something that is no file.
        FileError: a file cannot be read, or is too large.
    """
    if not folder.is_dir():
        raise ReleaseFolderError("this is not a folder", file=folder, remedy="give one")
    artifacts = [_read(path, path.relative_to(folder).as_posix()) for path in _files(folder)]
    return ReleaseFolder(folder, tuple(sorted(artifacts, key=lambda artifact: artifact.name)))


def read_files(folder: Path, paths: tuple[Path, ...]) -> ReleaseFolder:
    """Look at these files alone; they are in ``folder`` or below it."""
    artifacts = [_read(path, Path(os.path.relpath(path, folder)).as_posix()) for path in paths]
    return ReleaseFolder(folder, tuple(sorted(artifacts, key=lambda artifact: artifact.name)))


def _files(folder: Path) -> Iterator[Path]:
    count = 0

    def refuse(error: OSError) -> None:
        raise ReleaseFolderError(f"cannot look inside: {error.strerror}", file=error.filename)

    for place, folders, names in os.walk(folder, onerror=refuse):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in folders:
            if Path(place, name).is_symlink():
                raise ReleaseFolderError(
                    "this is a link to a folder, whose content could change",
                    file=Path(place, name),
                    remedy="copy the files themselves",
                )
        for name in sorted(name for name in names if not name.startswith(".")):
            count += 1
            if count > READ_LIMITS.release_files:
                raise ReleaseFolderError(
                    f"more than {READ_LIMITS.release_files} files", file=folder
                )
            yield Path(place, name)


def _read(path: Path, name: str) -> Artifact:
    data = read_file(path, READ_LIMITS.package, "artifact")
    kind, description = _kind(name, data)
    return Artifact(name, path, kind, description, len(data), hashlib.sha256(data).digest())


def _kind(name: str, data: bytes) -> tuple[ArtifactKind, str]:
    for suffix, kind in _BY_SUFFIX.items():
        if name.endswith(suffix):
            return kind, kind.value
    try:
        text = kind_of(data)
    except FotabuildError:
        text = ANYTHING
    if text == ANYTHING:
        return ArtifactKind.FILE, ArtifactKind.FILE.value
    return _BY_CONTENT.get(text, ArtifactKind.RECOGNISED), text
