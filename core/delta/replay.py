"""The encoder's own proof: a reader in Python that asks nothing of what wrote the patch.

It takes a patch as a whole and skips what only foreign patches can get wrong (numbers that are not
minimal, ends of LZ4 blocks), so it costs half of :class:`~fotabuild.delta.decoder.PatchDecoder`.
The strict decoder follows in :mod:`fotabuild.device.patch_acceptance`: the one in C where it was
built. So every patch is read by two decoders with two LZ4 libraries before it appears.
"""

from __future__ import annotations

from lz4.block import LZ4BlockError, decompress

from fotabuild.delta.bytewise import add
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader, decode_sign


def reproduces(patch: bytes, old: bytes, new: bytes) -> bool:
    """Whether ``patch`` makes ``new`` from ``old``; False also if it cannot be read.

    Raises:
        PatchError: the header is damaged.
    """
    header = PatchHeader.decode(patch[:HEADER_SIZE])
    block_size = header.block_size
    at, made, place, largest = HEADER_SIZE, 0, 0, 0
    try:
        while made < len(new):
            diff_length, at = _varint(patch, at)
            extra_length, at = _varint(patch, at)
            seek, at = _varint(patch, at)
            if diff_length and not 0 <= place <= len(old) - diff_length:
                return False
            for length, is_diff in ((diff_length, True), (extra_length, False)):
                while length > 0:
                    size, at = _varint(patch, at)
                    largest = size if size > largest else largest
                    room = block_size if block_size < length else length
                    piece = decompress(patch[at : at + size], uncompressed_size=room)
                    at += size
                    plain = len(piece)
                    if is_diff:
                        piece = add(old[place : place + plain], piece)
                        place += plain
                    if not plain or piece != new[made : made + plain]:
                        return False
                    made += plain
                    length -= plain
            place += decode_sign(seek)
    except (IndexError, LZ4BlockError):
        return False
    sizes = (header.new_size, header.largest_frame)
    return at == len(patch) and largest <= block_size and sizes == (made, largest)


def _varint(data: bytes, at: int) -> tuple[int, int]:
    byte = data[at]
    if byte < 0x80:
        return byte, at + 1
    value, shift = byte & 0x7F, 7
    while (byte := data[at + 1]) > 0x7F:
        at += 1
        value |= (byte & 0x7F) << shift
        shift += 7
    return value | byte << shift, at + 2
