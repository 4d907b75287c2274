"""The device's side of a patch: a streaming decoder, stricter than the one in the field.

This Python decoder is the reference. Where the C decoder of ``core/delta/native`` was built, it
does the same work faster; tests hold the two against each other.
"""

from __future__ import annotations

from collections.abc import Generator

import lz4.block

from fotabuild.delta import native_decoder
from fotabuild.delta.bytewise import add
from fotabuild.errors import PatchError
from fotabuild.formats.lz4_block import check_block
from fotabuild.formats.patch_stream import (
    HEADER_SIZE,
    MAX_VARINT_BYTES,
    PatchHeader,
    decode_sign,
)

DEFAULT_CHUNK_SIZE = 512
_MINUS_ZERO = 1


def apply_patch(old: bytes, patch: bytes, chunk_size: int = DEFAULT_CHUNK_SIZE) -> bytes:
    """Return the image that ``patch`` makes from ``old``.

    Args:
        old: the installed image.
        patch: the whole patch.
        chunk_size: bytes fed at a time, as the network would deliver them.

    Raises:
        PatchError: the patch is malformed or reads outside ``old``.
    """
    if native_decoder.available():
        return native_decoder.apply_patch(old, patch, chunk_size)
    return apply_patch_python(old, patch, chunk_size)


def apply_patch_python(old: bytes, patch: bytes, chunk_size: int = DEFAULT_CHUNK_SIZE) -> bytes:
    """Do the work of :func:`apply_patch` without the C decoder."""
    decoder = PatchDecoder(old)
    new = bytearray()
    for start in range(0, len(patch), chunk_size):
        new += decoder.feed(patch[start : start + chunk_size])
    decoder.finish()
    return bytes(new)


class PatchDecoder:
    """Applies a patch that arrives in chunks of any size.

    Memory is bounded by two frames and the chunk; output leaves with each call.
    """

    def __init__(self, old: bytes) -> None:
        self._old = old
        self._buffer = bytearray()
        self._consumed = 0
        self._output: list[bytes] = []
        self._produced = 0
        self._largest = 0
        self.header: PatchHeader | None = None
        self._done = False
        self._machine = self._run()
        next(self._machine)

    def feed(self, chunk: bytes) -> bytes:
        """Take the next bytes of the patch, return the next bytes of the new image.

        Raises:
            PatchError: with the offset in the patch.
        """
        self._buffer += chunk
        try:
            self._machine.send(None)
        except StopIteration:
            self._done = True
        if self._done and self._buffer:
            raise PatchError(
                f"{len(self._buffer)} bytes follow the end of the patch", offset=self._consumed
            )
        output = b"".join(self._output)
        self._output.clear()
        return output

    def finish(self) -> None:
        """Say that no more bytes come.

        Raises:
            PatchError: the patch is cut off, or its header is wrong about the largest frame.
        """
        if not self._done or self.header is None:
            raise PatchError("the patch is cut off", offset=self._consumed + len(self._buffer))
        if self._largest != self.header.largest_frame:
            raise PatchError(
                f"the header says {self.header.largest_frame}, the longest has {self._largest}",
                field="largest frame",
                offset=32,
            )

    def _take(self, count: int) -> Generator[None, None, bytes]:
        while len(self._buffer) < count:
            yield
        data = bytes(self._buffer[:count])
        del self._buffer[:count]
        self._consumed += count
        return data

    def _varint(self, field: str) -> Generator[None, None, int]:
        start = self._consumed
        value = 0
        for index in range(MAX_VARINT_BYTES):
            byte = (yield from self._take(1))[0]
            value |= (byte & 0x7F) << 7 * index
            if byte < 0x80:
                if byte == 0 and index:
                    raise PatchError("the number is not minimal", field=field, offset=start)
                return value
        raise PatchError("the number has more than 7 bytes", field=field, offset=start)

    def _run(self) -> Generator[None, None, None]:
        """Decode the stream (delta-patch, section 3); ``yield`` waits for more input."""
        self.header = header = PatchHeader.decode((yield from self._take(HEADER_SIZE)))
        header.check_limits()
        position = 0
        while self._produced < header.new_size:
            start = self._consumed
            diff_length = yield from self._varint("diff length")
            extra_length = yield from self._varint("extra length")
            seek_start = self._consumed
            seek = yield from self._varint("seek")
            if seek == _MINUS_ZERO:
                raise PatchError("minus zero", field="seek", offset=seek_start)
            if self._produced + diff_length + extra_length > header.new_size:
                raise PatchError("the record goes beyond the new image", offset=start)
            if diff_length and not 0 <= position <= len(self._old) - diff_length:
                raise PatchError("the record reads outside the old image", offset=start)
            yield from self._string(header, diff_length, position)
            yield from self._string(header, extra_length, None)
            position += diff_length + decode_sign(seek)

    def _string(
        self, header: PatchHeader, length: int, position: int | None
    ) -> Generator[None, None, None]:
        """Decode the frames of one string; a position means that old bytes are added."""
        while length:
            start = self._consumed
            frame_length = yield from self._varint("frame length")
            if not 1 <= frame_length <= header.block_size:
                raise PatchError(
                    f"a frame of {frame_length} bytes in blocks of {header.block_size}",
                    offset=start,
                )
            self._largest = max(self._largest, frame_length)
            frame = yield from self._take(frame_length)
            piece = _decompress(frame, min(header.block_size, length), start)
            length -= len(piece)
            self._produced += len(piece)
            if position is not None:
                piece = add(self._old[position : position + len(piece)], piece)
                position += len(piece)
            self._output.append(piece)


def _decompress(frame: bytes, room: int, offset: int) -> bytes:
    """Return the 1 to ``room`` plain bytes of a frame that begins at ``offset``."""
    try:
        plain = check_block(frame)
        if not 1 <= plain <= room:
            raise PatchError(f"the frame holds {plain} bytes, {room} at most are expected")
        piece: bytes = lz4.block.decompress(frame, uncompressed_size=room)
    except PatchError as error:
        error.offset = offset
        raise
    except lz4.block.LZ4BlockError:
        raise PatchError("the frame is not a valid LZ4 block", offset=offset) from None
    return piece
