"""Matching: what to take from the old image and what to insert (first layer of the encoder)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bsdiff4 import core as bsdiff4_core

_CONTROL_RECORD = 24
_SIGN_BIT = 1 << 63


@dataclass(frozen=True)
class Record:
    """A piece of the new image.

    Attributes:
        diff: bytes to add to the old image from the current position on.
        extra: bytes to insert after them.
        seek: move of the position in the old image after this record.
    """

    diff: bytes
    extra: bytes
    seek: int


def match(old: bytes, new: bytes) -> list[Record]:
    """Describe ``new`` by pieces of ``old``.

    Returns:
        Records that cover ``new`` exactly and read only inside ``old``; the last seek is 0, since
        no decoder uses it.
    """
    if not old or not new:
        return [Record(b"", new, 0)]
    control, diff, extra = bsdiff4_core.diff(old, new)
    records: list[Record] = []
    diff_at = extra_at = 0
    for diff_length, extra_length, seek in _control_records(control):
        records.append(
            Record(
                diff[diff_at : diff_at + diff_length],
                extra[extra_at : extra_at + extra_length],
                seek,
            )
        )
        diff_at += diff_length
        extra_at += extra_length
    if records:
        records[-1] = Record(records[-1].diff, records[-1].extra, 0)
    return records


def _control_records(
    control: bytes | list[tuple[int, int, int]],
) -> Iterator[tuple[int, int, int]]:
    """Yield control records: bsdiff4 up to 1.3.0 gives tuples, later releases 24-byte blocks."""
    if not isinstance(control, bytes):
        yield from control
        return
    for start in range(0, len(control), _CONTROL_RECORD):
        one, two, three = (_sign_magnitude(control[start + i : start + i + 8]) for i in (0, 8, 16))
        yield one, two, three


def _sign_magnitude(data: bytes) -> int:
    value = int.from_bytes(data, "little")
    return -(value ^ _SIGN_BIT) if value & _SIGN_BIT else value
