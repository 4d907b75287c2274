"""Range requests for one part of a file (RFC 9110, section 14)."""

from __future__ import annotations

import re
from dataclasses import dataclass

_PATTERN = re.compile(r"bytes=\s*(\d{0,18})\s*-\s*(\d{0,18})\s*", re.ASCII)


@dataclass(frozen=True)
class ByteRange:
    """A part of a file: from ``start`` up to but not including ``end``."""

    start: int
    end: int


class UnsatisfiableError(Exception):
    """The part lies behind the end of the file."""


def parse_range(header: str, size: int) -> ByteRange | None:
    """Read a ``Range`` header.

    Args:
        header: its text.
        size: bytes of the file.

    Returns:
        The part; None for what a server may ignore: another unit, several parts, nonsense.

    Raises:
        UnsatisfiableError: no byte of the file is in it.
    """
    match = _PATTERN.fullmatch(header)
    if match is None or match.groups() == ("", ""):
        return None
    first, last = match.groups()
    if not first:
        start, end = max(size - int(last), 0), size
    else:
        start, end = int(first), min(int(last) + 1, size) if last else size
        if last and int(last) < start:
            return None
    if start >= end:
        raise UnsatisfiableError
    return ByteRange(start, end)
