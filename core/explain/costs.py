"""Read a finished patch and say what each of its bytes is for."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

import lz4.block

from fotabuild.formats.lz4_block import check_block
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader

_MIN_MATCH = 4


class Cause(Enum):
    """Why bytes are in a patch.

    Attributes:
        INSERTED: the new image has bytes there that the encoder found nowhere in the old one.
        CHANGED: they are made from old bytes, and differ from them.
        UNCHANGED: old bytes stay as they are; the format has no copying, so they cost something.
        RECORDS: where to read in the old image, and for how long.
    """

    INSERTED = "inserted"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    RECORDS = "records"


@dataclass(frozen=True)
class Cost:
    """Some bytes of a patch.

    Attributes:
        start: first byte in the new image that they are for.
        length: for how many bytes of the new image they are.
        size: how many bytes of the patch they are.
        cause: why they are there.
    """

    start: int
    length: int
    size: int
    cause: Cause


def read_costs(patch: bytes) -> Iterator[Cost]:
    """Yield what a valid patch spends; together all of it but the header of 40 bytes.

    Raises:
        PatchError: this is not a patch.
    """
    new_size = PatchHeader.decode(patch[:HEADER_SIZE]).new_size
    position, made = HEADER_SIZE, 0
    while made < new_size:
        begin = position
        diff_length, position = _varint(patch, position)
        extra_length, position = _varint(patch, position)
        _, position = _varint(patch, position)
        yield Cost(made, 1, position - begin, Cause.RECORDS)
        for length, is_diff in ((diff_length, True), (extra_length, False)):
            end = made + length
            while made < end:
                begin = position
                frame_length, position = _varint(patch, position)
                frame = patch[position : position + frame_length]
                plain: bytes = lz4.block.decompress(frame, uncompressed_size=check_block(frame))
                yield _cost(plain, 0, len(plain), position - begin, made, is_diff)
                yield from _frame_costs(frame, plain, made, is_diff)
                position += frame_length
                made += len(plain)


def _frame_costs(frame: bytes, plain: bytes, made: int, is_diff: bool) -> Iterator[Cost]:
    """Yield the costs of one LZ4 block: runs of literals, and matches that cost a few bytes."""
    position = at = 0
    while position < len(frame):
        begin = position
        token = frame[position]
        literals, position = _length(frame, position + 1, token >> 4)
        head = position - begin
        if not is_diff:
            yield from _some(Cost(made + at, literals, literals, Cause.INSERTED))
        else:
            # Changed bytes often stand alone: each literal is judged by itself.
            changed = literals - plain.count(0, at, at + literals)
            yield from _some(Cost(made + at, literals, changed, Cause.CHANGED))
            yield from _some(Cost(made + at, literals, literals - changed, Cause.UNCHANGED))
        position += literals
        at += literals
        if position == len(frame):
            yield _cost(plain, at - literals, max(literals, 1), head, made, is_diff)
            return
        match, end = _length(frame, position + 2, token & 15)
        yield _cost(plain, at, match + _MIN_MATCH, head + end - position, made, is_diff)
        position = end
        at += match + _MIN_MATCH


def _cost(plain: bytes, at: int, length: int, size: int, made: int, is_diff: bool) -> Cost:
    """Return the cost of the frame's bytes from ``at`` on, by what these bytes are."""
    cause = Cause.INSERTED
    if is_diff:
        cause = Cause.CHANGED if any(plain[at : at + length]) else Cause.UNCHANGED
    return Cost(made + at, length, size, cause)


def _some(cost: Cost) -> Iterator[Cost]:
    if cost.size:
        yield cost


def _varint(data: bytes, position: int) -> tuple[int, int]:
    value = shift = 0
    while data[position] >= 0x80:
        value |= (data[position] & 0x7F) << shift
        shift += 7
        position += 1
    return value | data[position] << shift, position + 1


def _length(block: bytes, position: int, nibble: int) -> tuple[int, int]:
    length = nibble
    more = nibble == 15
    while more:
        length += block[position]
        more = block[position] == 255
        position += 1
    return length, position
