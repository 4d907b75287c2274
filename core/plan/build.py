"""What a build adds to the project: the image it just made, its version, where artifacts go."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fotabuild.formats.firmware_version import FirmwareVersion


@dataclass(frozen=True, kw_only=True)
class Build:
    """One build of the firmware.

    Attributes:
        image: the linked ELF file or a flat binary image.
        version: its version.
        folder: where the artifacts go.
        name: what file names begin with; the image's stem by default.
        resources: where the update resources source goes; None when the build of the image
            makes it itself.
    """

    image: Path
    version: FirmwareVersion
    folder: Path
    name: str = ""
    resources: Path | None = None

    def output(self, suffix: str, *, since: FirmwareVersion | None = None) -> Path:
        """Return the path of an artifact: ``<name>-[<since>-to-]<version><suffix>``."""
        versions = f"{since}-to-{self.version}" if since else str(self.version)
        return self.folder / f"{self.name or self.image.stem}-{versions}{suffix}"
