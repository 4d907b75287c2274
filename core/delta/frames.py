"""Framing: a string of bytes as LZ4 blocks within the device's buffers (delta-patch, section 2)."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Iterator

import lz4.block

from fotabuild.delta.bytewise import subtract
from fotabuild.delta.segments import Frame, Piece
from fotabuild.delta.writer import PackedFrame

LEVEL = 12
"""Of liblz4's high compression: the one that looks for the shortest block."""
# Most frames of a small update are the same: nothing changed in there.
_REMEMBERED = 64
# The format wants so many bytes before there may be a match (LZ4 block format, end of block).
_LEAST_COMPRESSED = 13


def fill_frames(
    old: bytes, new: bytes, pieces: Iterable[Piece], block_size: int
) -> Iterator[PackedFrame]:
    """Cut pieces and what is between them into frames as full as possible."""
    done = 0
    for new_at, old_at, size in (*pieces, Piece(len(new), 0, 0)):
        for shift, begin, data in (
            (None, done, new[done:new_at]),
            (
                old_at - new_at,
                new_at,
                subtract(new[new_at : new_at + size], old[old_at : old_at + size]),
            ),
        ):
            at = begin
            for length, block in pack(data, block_size):
                yield PackedFrame(Frame(at, at + length, shift), block)
                at += length
        done = new_at + size


def pack(data: bytes, block_size: int) -> Iterator[tuple[int, bytes]]:
    """Cut and compress ``data``, each frame as full as possible.

    Args:
        data: a string of a record, possibly empty.
        block_size: bound in bytes on both the plain and the compressed length of a frame.

    Yields:
        Plain lengths, and LZ4 blocks whose plain contents, joined, are ``data``.
    """
    literal_limit = largest_literal_frame(block_size)
    start = 0
    while start < len(data):
        piece = data[start : start + block_size]
        frame = _compress(piece)
        if len(frame) > block_size:
            piece = piece[:literal_limit]
            frame = _compress(piece)
        if len(frame) > block_size:
            frame = literal_block(piece)
        yield len(piece), frame
        start += len(piece)


def largest_literal_frame(block_size: int) -> int:
    """Return the most incompressible bytes that fit into a frame of ``block_size`` bytes."""
    if block_size < 17:
        return min(block_size - 1, 14)
    # Behind token and first length byte, 15 + 255 * n literals need n more bytes.
    steps, rest = divmod(block_size - 17, 256)
    return 15 + 255 * steps + min(rest, 254)


def literal_block(data: bytes) -> bytes:
    """Return an LZ4 block that holds ``data`` as literals only."""
    return _literal_header(len(data)) + data


def _literal_header(length: int) -> bytes:
    if length < 15:
        return bytes([length << 4])
    ones, rest = divmod(length - 15, 255)
    return b"\xf0" + b"\xff" * ones + bytes([rest])


@functools.lru_cache(_REMEMBERED)
def _compress(piece: bytes) -> bytes:
    if len(piece) < _LEAST_COMPRESSED:
        return literal_block(piece)
    block: bytes = lz4.block.compress(
        piece, mode="high_compression", compression=LEVEL, store_size=False
    )
    return block
