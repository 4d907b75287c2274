"""Sums and differences of strings, byte by byte modulo 256, without a loop over the bytes."""

from __future__ import annotations

import functools

_LONGEST = 1 << 16


@functools.lru_cache(maxsize=8)
def _masks(size: int) -> tuple[int, int]:
    return int.from_bytes(b"\x7f" * size, "little"), int.from_bytes(b"\x80" * size, "little")


def add(one: bytes, two: bytes) -> bytes:
    """Return ``one`` plus ``two``, which are equally long."""
    size = len(two)
    if two.count(0) == size:
        return one
    low, high = _masks(size)
    a, b = int.from_bytes(one, "little"), int.from_bytes(two, "little")
    return ((a & low) + (b & low) ^ (a ^ b) & high).to_bytes(size, "little")


def subtract(one: bytes, two: bytes) -> bytes:
    """Return ``one`` less ``two``, which are equally long."""
    size = len(one)
    if one == two:
        return bytes(size)
    if size > _LONGEST:  # Long numbers would need several times the memory of the images.
        return b"".join(
            subtract(one[at : at + _LONGEST], two[at : at + _LONGEST])
            for at in range(0, size, _LONGEST)
        )
    low, high = _masks(size)
    a, b = int.from_bytes(one, "little"), int.from_bytes(two, "little")
    return ((a | high) - (b & low) ^ (a ^ ~b) & high).to_bytes(size, "little")
