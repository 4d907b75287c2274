"""What the files of a release are, by their names and contents."""

from __future__ import annotations

import enum
import hashlib
from dataclasses import dataclass
from pathlib import Path

from fotabuild.errors import FotabuildError, ReleaseFolderError
from fotabuild.files.reading import read_file
from fotabuild.inspection import ANYTHING, kind_of
from fotabuild.limits import READ_LIMITS

#: What ``fotabuild report`` writes into a folder, at any time: no statement speaks of these two.
FOLDER_REPORTS = ("report.html", "report.json")
PROVENANCE_SUFFIX = ".intoto.json"
SBOM_SUFFIX = ".cdx.json"


class ArtifactKind(enum.Enum):
    """What files of a release are."""

    MANIFEST = "manifest v3"
    MANIFEST_V1 = "manifest v1"
    SUIT = "SUIT manifest"
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
    **dict.fromkeys((f".{name}" for name in FOLDER_REPORTS), ArtifactKind.REPORT),
}
_BY_CONTENT = {
    kind.value: kind
    for kind in (
        ArtifactKind.MANIFEST,
        ArtifactKind.MANIFEST_V1,
        ArtifactKind.SUIT,
        ArtifactKind.PATCH,
        ArtifactKind.SIDE_FILE,
        ArtifactKind.PACKAGE,
    )
}
#: What nobody but a build makes.
BUILT_KINDS = frozenset(_BY_CONTENT.values())
# What a name promises; damage must not turn a manifest into a mere file.
_PROMISES = {
    ".manifest": ("manifest", (ArtifactKind.MANIFEST, ArtifactKind.MANIFEST_V1)),
    ".suit": (ArtifactKind.SUIT.value, (ArtifactKind.SUIT,)),
    ".patch": (ArtifactKind.PATCH.value, (ArtifactKind.PATCH,)),
    ".package.tar": (ArtifactKind.PACKAGE.value, (ArtifactKind.PACKAGE,)),
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
    def last_name(self) -> str:
        """Its name without the folders."""
        return self.name.rpartition("/")[2]

    @property
    def broken_promise(self) -> str | None:
        """What the name says that it is, where the content is something else."""
        for suffix, (what, kinds) in _PROMISES.items():
            if self.name.endswith(suffix) and self.kind not in kinds:
                return what
        return None

    @property
    def is_folder_report(self) -> bool:
        """Whether it is the report that is written of a whole folder, into it."""
        return self.name in FOLDER_REPORTS

    @property
    def is_covered(self) -> bool:
        """Whether a statement on the origin speaks of it: not of itself, nor of the report."""
        return self.kind is not ArtifactKind.PROVENANCE and not self.is_folder_report


def read_artifact(path: Path, name: str) -> Artifact:
    """Look at one file.

    Args:
        path: where it is.
        name: its name in the folder.

    Raises:
        ReleaseFolderError: the name is not UTF-8.
        FileError: it cannot be read, or is too large.
    """
    try:
        name.encode()
    except UnicodeEncodeError:
        raise ReleaseFolderError(
            "this name is not UTF-8", file=path, remedy="rename the file, or remove it"
        ) from None
    data = read_file(path, READ_LIMITS.package, "artifact")
    kind, description = _kind(name, data)
    return Artifact(name, path, kind, description, len(data), hashlib.sha256(data).digest())


def _kind(name: str, data: bytes) -> tuple[ArtifactKind, str]:
    if name in FOLDER_REPORTS:
        return ArtifactKind.REPORT, ArtifactKind.REPORT.value
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
