"""Rules of the LZ4 block format that decoders disagree about (delta-patch, section 2)."""

from __future__ import annotations

from fotabuild.errors import PatchError

_LAST_LITERALS = 5
_MATCH_LIMIT = 12
_MIN_MATCH = 4


def check_block(block: bytes) -> int:
    """Walk through a block without decoding it, and return its plain length in bytes.

    liblz4 decodes some blocks that break the format, depending on its version and on the room it
    has; a device may then refuse or corrupt what this machine accepts.

    Raises:
        PatchError: cut off, a match before the beginning, or an end that the format forbids.
    """
    size = len(block)
    position = plain = 0
    last_match = -1
    try:
        while True:  # Written out: this is most of the time that reading a patch takes.
            token = block[position]
            position += 1
            literals = token >> 4
            if literals == 15:
                literals, position = _long(block, position)
            position += literals
            plain += literals
            if position >= size:
                break
            distance = block[position] | block[position + 1] << 8
            position += 2
            if not 1 <= distance <= plain:
                raise PatchError(f"an LZ4 match {distance} bytes back, {plain} are there")
            last_match = plain
            match = token & 15
            if match == 15:
                match, position = _long(block, position)
            plain += match + _MIN_MATCH
    except IndexError:
        raise PatchError("an LZ4 block is cut off") from None
    if position > size:
        raise PatchError("an LZ4 block ends inside its literals")
    if last_match >= 0 and (literals < _LAST_LITERALS or plain - last_match < _MATCH_LIMIT):
        raise PatchError("an LZ4 block ends too close behind a match")
    return plain


def _long(block: bytes, position: int) -> tuple[int, int]:
    """Return a length of 15 or more whose further bytes begin at a place, and the place behind."""
    length = 15
    while (byte := block[position]) == 255:
        length += byte
        position += 1
    return length + byte, position + 1
