"""Which schema a manifest has, by its first bytes."""

from __future__ import annotations

_SEQUENCE, _ENUMERATED, _UTF8_STRING = b"\x30", b"\x0a", b"\x0c"
_OCTET_STRING = b"\x04"


def schema_of(data: bytes) -> int | None:
    """Return 3 or 1 for what begins like a manifest of that schema, None for anything else."""
    if data[:1] != _SEQUENCE:
        return None
    start = _content(data, 0)
    if data[start : start + 1] == _ENUMERATED:
        return 3
    if data[start : start + 1] != _SEQUENCE:
        return None
    # A resource begins with its type, or in old files with its URI; a certificate with neither.
    start = _content(data, start)
    return 1 if data[start : start + 1] in (_ENUMERATED, _UTF8_STRING) else None


def schema_of_signed_part(data: bytes) -> int | None:
    """Return 3 or 1 for what begins like the signed part alone, None for anything else."""
    if data[:1] != _SEQUENCE:
        return None
    start = _content(data, 0)
    # A v3 manifest begins with its vendor id, a v1 resource with its type.
    return {_OCTET_STRING: 3, _ENUMERATED: 1}.get(data[start : start + 1])


def _content(data: bytes, offset: int) -> int:
    """Return where the content of the element at ``offset`` begins: at the end if it has none."""
    length = data[offset + 1] if offset + 1 < len(data) else 0
    if length == 0x80:  # DER knows no indefinite length.
        return len(data)
    return offset + 2 + (length & 0x7F if length & 0x80 else 0)
