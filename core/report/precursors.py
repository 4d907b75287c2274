"""Images that are on devices already, to be found by their digests."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from fotabuild.digest import sha256
from fotabuild.errors import FileError
from fotabuild.files.reading import read_file
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.limits import READ_LIMITS


@dataclass(frozen=True)
class InstalledImage:
    """An image in the field.

    Attributes:
        path: its file.
        version: its version, if known.
        elf: its linked ELF file, if known.
    """

    path: Path
    version: FirmwareVersion | None = None
    elf: Path | None = None


@dataclass
class Precursors:
    """The images in the field that are at hand. A file is read when its digest is needed first.

    Args:
        images: them, the likeliest first.
    """

    images: Sequence[InstalledImage] = ()
    _known: dict[bytes, InstalledImage] = field(default_factory=dict, init=False)
    _rest: Iterator[InstalledImage] = field(init=False)

    def __post_init__(self) -> None:
        self._rest = iter(self.images)

    def find(self, digest: bytes) -> InstalledImage | None:
        """Return the image with this SHA-256; images that cannot be read are not at hand."""
        while digest not in self._known:
            image = next(self._rest, None)
            if image is None:
                return None
            found = _digest(image.path)
            if found is not None:
                self._known.setdefault(found, image)
        return self._known[digest]


def _digest(path: Path) -> bytes | None:
    try:
        return sha256(read_file(path, READ_LIMITS.image, "image in the field"))
    except FileError:
        return None
