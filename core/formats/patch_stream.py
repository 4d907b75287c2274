"""The delta patch stream ``PELION/BSDIFF001`` (delta-patch specification, sections 1 and 2)."""

from __future__ import annotations

import functools
from collections.abc import Iterable
from typing import NamedTuple

from fotabuild.errors import PatchError
from fotabuild.limits import READ_LIMITS

MAGIC = b"PELION/BSDIFF001"
HEADER_SIZE = 40
MIN_BLOCK_SIZE = 64
MAX_NEW_SIZE = 2**32 - 1
MAX_VARINT_BYTES = 7
_MARKER = MAGIC[:-3]  # What three digits follow in every version of the format.
_SIGN_BIT = 1 << 63


class PatchHeader(NamedTuple):
    """The 40 bytes at the beginning of a patch.

    Attributes:
        new_size: size in bytes of the image that the patch makes.
        block_size: bound in bytes on each frame, compressed and plain; the device needs two such
            buffers.
        largest_frame: length in bytes of the longest compressed frame in the patch.
    """

    new_size: int
    block_size: int
    largest_frame: int

    def encode(self) -> bytes:
        """Return the header's bytes."""
        sizes = (self.new_size, self.block_size, self.largest_frame)
        return MAGIC + b"".join(size.to_bytes(8, "little") for size in sizes)

    @classmethod
    def decode(cls, data: bytes) -> PatchHeader:
        """Read and check the first 40 bytes of a patch.

        Raises:
            PatchError: too short, another magic, or a size outside its range.
        """
        if len(data) < HEADER_SIZE:
            raise PatchError(
                f"the patch ends inside its header of {HEADER_SIZE} bytes", offset=len(data)
            )
        if data[:16] != MAGIC:
            raise PatchError("this is not a patch of format PELION/BSDIFF001", offset=0)
        fields = [int.from_bytes(data[i : i + 8], "little") for i in (16, 24, 32)]
        for offset, name, value, low, high in zip(
            (16, 24, 32),
            ("new size", "block size", "largest frame"),
            fields,
            (1, MIN_BLOCK_SIZE, 1),
            (MAX_NEW_SIZE, MAX_NEW_SIZE, fields[1]),
            strict=True,
        ):
            if value & _SIGN_BIT or not low <= value <= high:
                raise PatchError(f"{value:#x} is out of range", field=name, offset=offset)
        return cls(*fields)

    def check_limits(self) -> None:
        """Refuse sizes for which no decoder on this machine should reserve memory.

        Raises:
            PatchError: the new image or the blocks are larger than :data:`READ_LIMITS` allows.
        """
        for offset, name, value, limit in (
            (16, "new size", self.new_size, READ_LIMITS.image),
            (24, "block size", self.block_size, READ_LIMITS.patch_block),
        ):
            if value > limit:
                raise PatchError(f"{value} is above the limit {limit}", field=name, offset=offset)


class PatchRecord(NamedTuple):
    """One triple of the stream.

    Attributes:
        diff_length: bytes to take from the old image and to add to.
        diff_frames: the compressed bytes to add, as LZ4 blocks.
        extra_length: bytes to insert.
        extra_frames: those bytes, as LZ4 blocks.
        seek: how far to move in the old image afterwards.
    """

    diff_length: int
    diff_frames: tuple[bytes, ...]
    extra_length: int
    extra_frames: tuple[bytes, ...]
    seek: int


@functools.lru_cache(1024)  # Lengths of frames come again and again.
def encode_varint(value: int) -> bytes:
    """Write an unsigned number, seven bits a byte, least significant first."""
    encoded = bytearray()
    while value > 0x7F:
        encoded.append(value & 0x7F | 0x80)
        value >>= 7
    encoded.append(value)
    return bytes(encoded)


def encode_signed_varint(value: int) -> bytes:
    """Write a signed number: magnitude shifted left, bit 0 for negative."""
    return encode_varint(abs(value) << 1 | (value < 0))


def decode_sign(value: int) -> int:
    """Turn the unsigned reading of a signed varint into its value."""
    return -(value >> 1) if value & 1 else value >> 1


def encode_patch(new_size: int, block_size: int, records: Iterable[PatchRecord]) -> bytes:
    """Return the whole patch file.

    The caller answers for what the records mean; the seek of the last one is written as given.
    """
    body = bytearray()
    largest = 1
    for record in records:
        body += encode_varint(record.diff_length)
        body += encode_varint(record.extra_length)
        body += encode_signed_varint(record.seek)
        for frame in (*record.diff_frames, *record.extra_frames):
            length = len(frame)
            if length > largest:
                largest = length
            body += encode_varint(length)
            body += frame
    return PatchHeader(new_size, block_size, largest).encode() + bytes(body)


def find_markers(image: bytes) -> list[bytes]:
    """Return the decoder markers in a firmware image, in their order, each once (section 6)."""
    # Without a pattern: compiling one takes longer than looking through a small image.
    markers: dict[bytes, None] = {}
    at = image.find(_MARKER)
    while at >= 0:
        marker = image[at : at + len(MAGIC)]
        if len(marker) == len(MAGIC) and marker[len(_MARKER) :].isdigit():
            markers[marker] = None
        at = image.find(_MARKER, at + 1)
    return list(markers)
