"""bsdiff's matching: which pieces of the new image are near pieces of the old one."""

from __future__ import annotations

from collections.abc import Iterator

from bsdiff4 import core as bsdiff4_core

from fotabuild.delta.segments import Piece

_CONTROL_RECORD = 24
_SIGN_BIT = 1 << 63


def match(old: bytes, new: bytes) -> list[Piece]:
    """Return pieces in the order of the new image, without overlap; the rest is to be inserted."""
    if not old or not new:
        return []
    control, _, _ = bsdiff4_core.diff(old, new)
    pieces: list[Piece] = []
    new_at = old_at = 0
    for diff_length, extra_length, seek in _control_records(control):
        if diff_length:
            pieces.append(Piece(new_at, old_at, diff_length))
        new_at += diff_length + extra_length
        old_at += diff_length + seek
    return pieces


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
