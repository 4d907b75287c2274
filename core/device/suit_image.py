"""What a component of a virtual device holds: bytes, or only what is known about them."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

from fotabuild.formats.suit.digests import compute_digest
from fotabuild.formats.suit.model import Digest
from fotabuild.formats.suit.names import Compression
from fotabuild.limits import READ_LIMITS

_GZIP_WINDOW = 16 + zlib.MAX_WBITS


@dataclass(frozen=True)
class Image:
    """Content of a component.

    A manifest may be made from a digest, without the file. Such an image stands for the bytes.

    Attributes:
        data: the bytes, or None when they are not at hand.
        digest: their digest where ``data`` is None.
        size: their number where ``data`` is None.
        unpacked: what they decompress to where ``data`` is None.
    """

    data: bytes | None = field(default=None, repr=False)
    digest: Digest | None = None
    size: int | None = None
    unpacked: Image | None = None

    def matches(self, digest: Digest, size: int | None) -> bool:
        """Return whether a digest, and a size if one is given, are those of this image."""
        if self.data is None:
            return self.digest == digest and (size is None or self.size in (None, size))
        found = compute_digest(digest.algorithm, self.data)
        return found == digest and (size is None or len(self.data) == size)

    def decompress(self, compression: Compression, limit: int = READ_LIMITS.image) -> Image:
        """Return the decompressed image.

        Args:
            compression: how it is compressed.
            limit: most bytes that come out.

        Raises:
            ValueError: the bytes are damaged, incomplete, followed by others, or too many come out.
        """
        if self.data is None:
            if self.unpacked is None:
                raise ValueError("nothing is known about the decompressed image")
            return self.unpacked
        return Image(_UNPACK[compression](self.data, limit))


class _Stream(Protocol):
    """What the decompressors of all libraries have."""

    def decompress(self, data: bytes, max_length: int, /) -> bytes: ...

    @property
    def eof(self) -> bool: ...

    @property
    def unused_data(self) -> bytes | None: ...


def _unpack(stream: _Stream, data: bytes, limit: int) -> bytes:
    try:
        out = stream.decompress(data, limit + 1)
    except (zlib.error, OSError, lzma.LZMAError, RuntimeError) as error:
        raise ValueError(str(error)) from None
    if len(out) > limit:
        raise ValueError(f"more than {limit} bytes come out")
    if not stream.eof or stream.unused_data:
        raise ValueError("bytes follow the compressed data" if stream.eof else "it is incomplete")
    return out


def _unpack_deflate(data: bytes, limit: int) -> bytes:
    """Decompress what people call deflate: with the frame of zlib or without."""
    try:
        return _unpack(zlib.decompressobj(), data, limit)
    except ValueError:
        return _unpack(zlib.decompressobj(-zlib.MAX_WBITS), data, limit)


def _unpack_lz4(data: bytes, limit: int) -> bytes:
    import lz4.frame

    return _unpack(lz4.frame.LZ4FrameDecompressor(), data, limit)


_UNPACK: dict[Compression, Callable[[bytes, int], bytes]] = {
    Compression.GZIP: lambda data, limit: _unpack(zlib.decompressobj(_GZIP_WINDOW), data, limit),
    Compression.BZIP2: lambda data, limit: _unpack(bz2.BZ2Decompressor(), data, limit),
    Compression.DEFLATE: _unpack_deflate,
    Compression.LZ4: _unpack_lz4,
    Compression.LZMA: lambda data, limit: _unpack(
        lzma.LZMADecompressor(memlimit=READ_LIMITS.image), data, limit
    ),
}
