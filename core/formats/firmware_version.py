"""Semantic firmware versions, from 0.0.1 to 999.999.999 (manifest-v3 specification, section 5)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fotabuild.errors import VersionError

_PART = "(0|[1-9][0-9]{0,2})"
_PATTERN = re.compile(rf"{_PART}\.{_PART}\.{_PART}")
_SEMANTIC_BIT = 1 << 55
_PART_MAX = 999


@dataclass(frozen=True, order=True)
class FirmwareVersion:
    """A version ``major.minor.patch``; comparison is that of the device."""

    major: int
    minor: int
    patch: int

    @classmethod
    def parse(cls, text: str) -> FirmwareVersion:
        """Read ``A.B.C`` with parts 0..999 without leading zeros.

        Raises:
            VersionError: any other text, ``0.0.0`` included.
        """
        match = _PATTERN.fullmatch(text)
        if match is None or not any(map(int, match.groups())):
            raise VersionError(
                f"{text[:40]!r} is not a firmware version",
                remedy="write MAJOR.MINOR.PATCH between 0.0.1 and 999.999.999",
            )
        return cls(*map(int, match.groups()))

    def __str__(self) -> str:
        return f"{self.major}.{self.minor}.{self.patch}"

    def to_device_number(self) -> int:
        """Return the 64-bit number in which the device compares versions.

        Bit 55 marks semantic versions, so that each is newer than any v1 time stamp.
        """
        return _SEMANTIC_BIT | self.major << 40 | self.minor << 16 | self.patch

    @classmethod
    def from_device_number(cls, number: int) -> FirmwareVersion:
        """Undo :meth:`to_device_number`.

        Raises:
            VersionError: the number is a v1 time stamp or has a part above 999.
        """
        rest = number ^ _SEMANTIC_BIT
        version = cls(rest >> 40, rest >> 16 & 0xFFFFFF, rest & 0xFFFF)
        if not 0 <= rest < _SEMANTIC_BIT or max(version.major, version.minor, version.patch) > (
            _PART_MAX
        ):
            raise VersionError(f"{number:#x} is not the number of a semantic version")
        return version
