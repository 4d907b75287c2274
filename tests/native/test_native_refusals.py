"""One hand-made stream per rule of the format; each names the status and the offset."""

from __future__ import annotations

import pytest

from .patch_bytes import BLOCK, MAGIC, frame, header, integer, literals, signed, triple, varint
from .patch_library import PatchLibrary

OLD = bytes(range(100))
HEAD = 40  # the first triple starts here
WIDE = 1 << 32
# A block of 13 bytes: literal "a", match of 7 at distance 1, 5 literals. The shortest with a match.
WITH_MATCH = b"\x13a\x01\x00" + b"\x50bcdef"


def one_frame(block: bytes, plain_length: int, **fields: int) -> bytes:
    """A patch whose new image is one extra frame."""
    return (
        header(plain_length, largest=len(block), **fields) + triple(0, plain_length) + frame(block)
    )


GOOD = {
    "one literal": one_frame(literals(b"x"), 1),
    "smallest block with a match": one_frame(WITH_MATCH, 13),
    "a full block": one_frame(b"\x1fa\x01\x00" + bytes([64 - 6 - 19]) + b"\x50bcdef", 64),
    "frame of exactly B bytes": one_frame(literals(b"y" * 62), 62),
    "diff over the whole old image": header(100, largest=11)
    + triple(100, 0)
    + 2 * frame(b"\x1f\0\1\0" + bytes([50 - 6 - 19]) + b"\x50\0\0\0\0\0"),
    "pure seeks out of the old image and back": header(1, largest=2)
    + triple(0, 0, -1)
    + triple(0, 0, 102)
    + triple(0, 0, -2)
    + triple(1, 0, 7)
    + frame(literals(b"\0")),
    "last seek is never used": header(1, largest=2)
    + triple(0, 1, 1 - (1 << 48))
    + frame(literals(b"z")),
    "longest varint": header(1, largest=2)
    + triple(0, 0, (1 << 48) - 1)
    + triple(0, 1)
    + frame(literals(b"z")),
    "nothing read at the end of the old image": header(2, largest=2)
    + triple(0, 1, 100)
    + frame(literals(b"a"))
    + triple(0, 1)
    + frame(literals(b"b")),
}


@pytest.mark.parametrize("name", GOOD)
def test_accepted(decoder: PatchLibrary, name: str) -> None:
    for chunk in (0, 1):
        outcome = decoder.apply(OLD, GOOD[name], chunk=chunk, capacity=BLOCK)
        assert outcome.status == "ok"
        assert len(outcome.image) == int.from_bytes(GOOD[name][16:24], "little")


def bad_block(block: bytes, plain_length: int = 1) -> tuple[str, int, bytes]:
    return "error_frame_data", HEAD + 4, one_frame(block, plain_length)


# name: status, offset, stream
REFUSED = {
    "wrong first letter": ("error_magic", 0, b"pELION/BSDIFF001" + bytes(24)),
    "other version": ("error_magic", 15, b"PELION/BSDIFF002" + bytes(24)),
    "new size 0": ("error_header", 16, header(0)),
    "new size negative": ("error_header", 16, header(-1)),
    "new size of 33 bits": ("error_header", 16, header(WIDE)),
    "block size 63": ("error_header", 24, header(1, 63)),
    "block size 0": ("error_header", 24, header(1, 0)),
    "block size negative": ("error_header", 24, header(1, -64)),
    "block size of 33 bits": ("error_header", 24, header(1, WIDE)),
    "block size above capacity": ("error_block_too_large", 24, header(1, 65)),
    "block size of 32 bits": ("error_block_too_large", 24, header(1, WIDE - 1)),
    "largest frame negative": ("error_header", 32, header(1, largest=-2)),
    "largest frame minus zero": (
        "error_header",
        32,
        MAGIC + integer(1) + integer(64) + bytes(7) + b"\x80",
    ),
    "largest frame of 33 bits": ("error_header", 32, header(1, largest=WIDE)),
    "largest frame too big": (
        "error_largest_frame",
        32,
        header(1, largest=3) + triple(0, 1) + frame(literals(b"x")),
    ),
    "largest frame too small": (
        "error_largest_frame",
        32,
        header(1, largest=1) + triple(0, 1) + frame(literals(b"x")),
    ),
    "varint of 8 bytes": ("error_varint", HEAD, header(1) + b"\x80" * 7 + b"\x01"),
    "varint that never ends": ("error_varint", HEAD + 1, header(1) + b"\0" + b"\xff" * 20),
    "zero in two bytes": ("error_varint", HEAD, header(1) + b"\x80\x00"),
    "one in three bytes": ("error_varint", HEAD + 1, header(1) + b"\0\x81\x80\x00"),
    "minus zero": ("error_varint", HEAD + 2, header(1) + b"\0\1\1"),
    "frame length in two bytes": ("error_varint", HEAD + 3, header(1) + triple(0, 1) + b"\x82\0"),
    "diff beyond the new image": ("error_output_overrun", HEAD, header(1) + triple(2, 0)),
    "diff of 49 bits": (
        "error_output_overrun",
        HEAD,
        header(1) + varint((1 << 49) - 1) + varint(0) + signed(0),
    ),
    "extra beyond the new image": ("error_output_overrun", HEAD + 1, header(2) + triple(1, 2)),
    "diff beyond the old image": ("error_old_range", HEAD, header(101) + triple(101, 0)),
    "diff before the old image": (
        "error_old_range",
        HEAD + 3,
        header(1) + triple(0, 0, -1) + triple(1, 0),
    ),
    "diff at the end of the old image": (
        "error_old_range",
        HEAD + 4,
        header(1) + triple(0, 0, 100) + triple(1, 0),
    ),
    "diff far behind the old image": (
        "error_old_range",
        HEAD + 7,
        header(1) + triple(0, 0, 1 << 33) + triple(1, 0),
    ),
    "frame of 0 bytes": ("error_frame_length", HEAD + 3, header(1) + triple(0, 1) + b"\0"),
    "frame above the block size": ("error_frame_length", HEAD + 3, header(1) + triple(0, 1) + b"A"),
    "surplus in an extra frame": (
        "error_frame_surplus",
        HEAD + 4,
        header(2) + triple(0, 1) + frame(literals(b"xy")),
    ),
    "surplus in a diff frame": (
        "error_frame_surplus",
        HEAD + 4,
        header(2) + triple(1, 1) + frame(literals(b"xy")),
    ),
    "empty block": bad_block(b"\0"),
    "literals cut off": bad_block(b"\x20x", 2),
    "length byte cut off": bad_block(b"\xf0"),
    "length bytes without end": bad_block(b"\xf0" + b"\xff" * 40),
    "more literals than a block": bad_block(b"\xf0\x32" + b"x" * 60),
    "distance cut off": bad_block(b"\x10x\x01", 5),
    "distance 0": bad_block(b"\x13x\x00\x00\x50bcdef", 13),
    "distance before the frame": bad_block(b"\x13x\x02\x00\x50bcdef", 13),
    "match beyond the block": bad_block(b"\x1fx\x01\x00\x2e", 64),
    "short match beyond the block": bad_block(b"\xf4\x2d" + b"x" * 60 + b"\x01\x00", 64),
    "long literals in the last bytes of a block": bad_block(
        b"\xf0\x23" + b"x" * 50 + b"\x01\x00" + b"\xf0\x00", 64
    ),
    "match length wraps": bad_block(b"\x1fx\x01\x00" + b"\xff" * 50, 64),
    "ends with a match": bad_block(b"\x1fx\x01\x00\x00", 20),
    "only 4 literals at the end": bad_block(b"\x14x\x01\x00\x40bcde", 13),
    "last match 11 bytes before the end": bad_block(b"\x12x\x01\x00\x50bcdef", 12),
}


@pytest.mark.parametrize("chunk", [0, 1])
@pytest.mark.parametrize("name", REFUSED)
def test_refused(decoder: PatchLibrary, name: str, chunk: int) -> None:
    status, offset, stream = REFUSED[name]
    outcome = decoder.apply(OLD, stream, chunk=chunk, capacity=BLOCK)
    assert (outcome.status, outcome.offset) == (status, offset)


def test_position_cannot_leave_64_bits(decoder: PatchLibrary) -> None:
    for farthest in ((1 << 48) - 1, 1 - (1 << 48)):
        seek = triple(0, 0, farthest)
        steps = (1 << 63) // ((1 << 48) - 1)
        inside = decoder.apply(OLD, header(1) + seek * steps, chunk=4096, capacity=BLOCK)
        assert inside.status == "error_truncated"
        outside = decoder.apply(OLD, header(1) + seek * (steps + 1), chunk=4096, capacity=BLOCK)
        assert outside.status == "error_old_range"
        assert outside.offset == HEAD + len(seek) * steps + 2
