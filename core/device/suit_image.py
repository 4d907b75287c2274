"""What a component of a virtual device holds: bytes, or only what is known about them."""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable
from dataclasses import dataclass, field

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


def _unpack_zlib(data: bytes, limit: int, window: int = zlib.MAX_WBITS) -> bytes:
    stream = zlib.decompressobj(window)
    try:
        out = stream.decompress(data, limit + 1)
    except zlib.error as error:
        raise ValueError(str(error)) from None
    return _whole(out, limit, done=stream.eof, rest=stream.unused_data)


def _unpack_deflate(data: bytes, limit: int) -> bytes:
    """Decompress what people call deflate: with the frame of zlib or without."""
    try:
        return _unpack_zlib(data, limit)
    except ValueError:
        return _unpack_zlib(data, limit, -zlib.MAX_WBITS)


def _unpack_bzip2(data: bytes, limit: int) -> bytes:
    stream = bz2.BZ2Decompressor()
    try:
        out = stream.decompress(data, limit + 1)
    except OSError as error:
        raise ValueError(str(error)) from None
    return _whole(out, limit, done=stream.eof, rest=stream.unused_data)


def _unpack_lzma(data: bytes, limit: int) -> bytes:
    stream = lzma.LZMADecompressor(memlimit=READ_LIMITS.image)
    try:
        out = stream.decompress(data, limit + 1)
    except lzma.LZMAError as error:
        raise ValueError(str(error)) from None
    return _whole(out, limit, done=stream.eof, rest=stream.unused_data)


def _unpack_lz4(data: bytes, limit: int) -> bytes:
    import lz4.frame

    stream = lz4.frame.LZ4FrameDecompressor()
    try:
        out = stream.decompress(data, limit + 1)
    except RuntimeError as error:
        raise ValueError(str(error)) from None
    return _whole(out, limit, done=stream.eof, rest=stream.unused_data or b"")


def _whole(out: bytes, limit: int, *, done: bool, rest: bytes) -> bytes:
    if len(out) > limit:
        raise ValueError(f"more than {limit} bytes come out")
    if not done or rest:
        raise ValueError("bytes follow the compressed data" if rest else "it is incomplete")
    return out


_UNPACK: dict[Compression, Callable[[bytes, int], bytes]] = {
    Compression.GZIP: lambda data, limit: _unpack_zlib(data, limit, _GZIP_WINDOW),
    Compression.BZIP2: _unpack_bzip2,
    Compression.DEFLATE: _unpack_deflate,
    Compression.LZ4: _unpack_lz4,
    Compression.LZMA: _unpack_lzma,
}
