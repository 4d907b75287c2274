"""What a store knows about one release."""

from __future__ import annotations

import re
import time
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, UnsetType

from fotabuild.digest import sha256
from fotabuild.errors import ReleaseError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.releases.layout import record_name

_DATE = "%Y-%m-%dT%H:%M:%SZ"
_ORIGIN_COUNT = 32
_DATE_PATTERN = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z$"

Digest = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]
Date = Annotated[str, Meta(pattern=_DATE_PATTERN)]
VersionText = Annotated[str, Meta(pattern=r"^(0|[1-9][0-9]{0,2})(\.(0|[1-9][0-9]{0,2})){2}$")]
Text = Annotated[str, Meta(min_length=1, max_length=1000)]


class Release(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
):
    """One release. It never changes once it is in a store; being retired is noted beside it.

    Attributes:
        version: its version, ``MAJOR.MINOR.PATCH``.
        component: the component that the image is.
        date: when it was released, in UTC.
        digest: SHA-256 of the image, hexadecimal; also its name in the store.
        size: size of the image in bytes.
        manifest: digest of the signed manifest, if the store keeps one.
        elf: digest of the linked ELF file, if the store keeps one.
        origin: where the image comes from, such as commit, builder and URL of the build.
        patch_decoder: ``none`` if no delta can start from the image, since it carries no decoder
            for it; absent otherwise.
    """

    version: VersionText
    component: Annotated[str, Meta(min_length=1, max_length=64)]
    date: Date
    digest: Digest
    size: Annotated[int, Meta(ge=1, le=2**32 - 1)]
    manifest: Digest | None = None
    elf: Digest | None = None
    origin: Annotated[dict[Text, Text], Meta(max_length=_ORIGIN_COUNT)] = {}
    patch_decoder: Literal["none"] | UnsetType = UNSET

    @property
    def number(self) -> FirmwareVersion:
        """The version, comparable as devices compare."""
        return FirmwareVersion.parse(self.version)

    @property
    def title(self) -> str:
        """What people call it."""
        return f"{self.component} {self.version}"

    @property
    def takes_patches(self) -> bool:
        """Whether a delta can start from its image."""
        return self.patch_decoder is UNSET

    @property
    def digests(self) -> tuple[str, ...]:
        """Everything that the store keeps for it, the image first."""
        return tuple(filter(None, (self.digest, self.manifest, self.elf)))


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A release as a record and as a line of the index.

    Attributes:
        release: the release.
        check: SHA-256 of the release as JSON, so that a damaged one is known.
        retired: since when no device has it any more; None while it is in the field.
    """

    release: Release
    check: Digest
    retired: Date | None = None

    @classmethod
    def of(cls, release: Release, retired: str | None = None) -> Entry:
        """Return the entry of a release."""
        return cls(release=release, check=_check(release), retired=retired)

    @property
    def record(self) -> str:
        """The name of its record."""
        return record_name(self.release.component, self.release.version)

    @property
    def sound(self) -> bool:
        """Whether the release is what was written."""
        return self.check == _check(self.release)


def date_text(seconds: int) -> str:
    """Return seconds since 1970 as the text of a record."""
    return time.strftime(_DATE, time.gmtime(seconds))


def check_date(text: str) -> str:
    """Return a date of a record; a day alone means its beginning.

    Raises:
        ReleaseError: there is no such moment.
    """
    full = f"{text}T00:00:00Z" if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text) else text
    try:
        if re.fullmatch(_DATE_PATTERN, full):
            time.strptime(full, _DATE)
            return full
    except ValueError:
        pass
    raise ReleaseError(
        f"{text[:40]!r} is not a date", field="date", remedy="write 2026-01-31T12:00:00Z"
    )


def _check(release: Release) -> str:
    return sha256(msgspec.json.encode(release, order="deterministic")).hex()
