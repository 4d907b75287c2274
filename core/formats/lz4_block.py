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
    position = plain = 0
    last_match = -1
    while True:
        token, position = _byte(block, position)
        literals, position = _length(block, position, token >> 4)
        position += literals
        plain += literals
        if position > len(block):
            raise PatchError("an LZ4 block ends inside its literals")
        if position == len(block):
            break
        low, position = _byte(block, position)
        high, position = _byte(block, position)
        distance = low | high << 8
        if not 1 <= distance <= plain:
            raise PatchError(f"an LZ4 match {distance} bytes back, {plain} are there")
        last_match = plain
        match, position = _length(block, position, token & 15)
        plain += match + _MIN_MATCH
    if last_match >= 0 and (literals < _LAST_LITERALS or plain - last_match < _MATCH_LIMIT):
        raise PatchError("an LZ4 block ends too close behind a match")
    return plain


def _byte(block: bytes, position: int) -> tuple[int, int]:
    if position >= len(block):
        raise PatchError("an LZ4 block is cut off")
    return block[position], position + 1


def _length(block: bytes, position: int, nibble: int) -> tuple[int, int]:
    """Return a length that begins in a token's nibble, and where reading goes on."""
    length = nibble
    more = nibble == 15
    while more:
        byte, position = _byte(block, position)
        length += byte
        more = byte == 255
    return length, position
