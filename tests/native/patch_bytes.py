"""Pieces of patch streams, written without any check so that wrong ones can be made."""

from __future__ import annotations

MAGIC = b"PELION/BSDIFF001"
BLOCK = 64


def integer(value: int) -> bytes:
    """A header field: sign-magnitude, 64 bits, little-endian."""
    return (abs(value) | (1 << 63 if value < 0 else 0)).to_bytes(8, "little")


def header(new_size: int, block: int = BLOCK, largest: int = 0) -> bytes:
    return MAGIC + integer(new_size) + integer(block) + integer(largest)


def varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(0x80 | value & 0x7F)
        value >>= 7
    out.append(value)
    return bytes(out)


def signed(value: int) -> bytes:
    return varint(abs(value) << 1 | (value < 0))


def literals(data: bytes) -> bytes:
    """An LZ4 block of literals only, for up to 269 bytes."""
    if len(data) < 15:
        return bytes([len(data) << 4]) + data
    return bytes([0xF0, len(data) - 15]) + data


def frame(block: bytes) -> bytes:
    return varint(len(block)) + block


def triple(diff: int, extra: int, seek: int = 0) -> bytes:
    return varint(diff) + varint(extra) + signed(seek)
