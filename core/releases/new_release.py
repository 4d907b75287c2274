"""Releases that are to be added."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import msgspec

from fotabuild.digest import sha256
from fotabuild.errors import FormatError, ReleaseError, in_file
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.patch_stream import MAGIC, find_markers
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.record import encode_record
from fotabuild.releases.release import Entry, Release, check_date


@dataclass(frozen=True, kw_only=True)
class NewRelease:
    """A release to add.

    Attributes:
        version: its version.
        component: the component that the image is.
        date: when it was released, as ``2026-01-31T12:00:00Z``.
        image: the image, exactly as installed.
        manifest: the signed manifest.
        elf: the linked ELF file.
        origin: where the image comes from.
        retired: since when no device has it any more; None if it is in the field.
        place: where all this is written, for messages.
    """

    version: str
    component: str
    date: str
    image: bytes
    manifest: bytes | None = None
    elf: bytes | None = None
    origin: Mapping[str, str] = field(default_factory=dict)
    retired: str | None = None
    place: str | None = None

    @property
    def files(self) -> Mapping[str, bytes]:
        """What is kept for it, by digest."""
        return {sha256(data).hex(): data for data in self._contents().values()}

    def entry(self) -> Entry:
        """Return what the index will say.

        Raises:
            ReleaseError: a value that no store takes.
        """
        retired = None if self.retired is None else check_date(self.retired)
        return Entry.of(self.release(), retired)

    def release(self) -> Release:
        """Return what is recorded.

        Raises:
            ReleaseError: a value that no store takes.
        """
        with contextlib.nullcontext() if self.place is None else in_file(self.place):
            return self._release()

    def _release(self) -> Release:
        contents = self._contents()
        for name, data in contents.items():
            if not 0 < len(data) <= READ_LIMITS.image:
                raise ReleaseError(
                    f"this {name} has {len(data)} bytes, a store takes 1 to {READ_LIMITS.image}",
                    field=name,
                    remedy="give the image as installed, and the other files or nothing",
                )
        digests = {name: sha256(data).hex() for name, data in contents.items()}
        values = {
            "version": self.version,
            "component": self.component,
            "date": check_date(self.date),
            "digest": digests["image"],
            "size": len(self.image),
            "manifest": digests.get("manifest"),
            "elf": digests.get("elf"),
            "origin": dict(self.origin),
        }
        if find_markers(self.image) != [MAGIC]:
            values["patch-decoder"] = "none"
        try:
            FirmwareVersion.parse(self.version)
            release = msgspec.convert(values, Release)
            encode_record(release)
            return release
        except (msgspec.ValidationError, FormatError, UnicodeError) as error:
            raise ReleaseError(f"not a release: {error}") from None

    def _contents(self) -> dict[str, bytes]:
        given = {"image": self.image, "manifest": self.manifest, "elf": self.elf}
        return {name: data for name, data in given.items() if data is not None}


#: Reads a release that is to be added. It is called twice: to check it, and to add it, so that of
#: many releases one at a time is in memory.
ReleaseSource = Callable[[], NewRelease]
