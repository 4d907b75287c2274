"""What the encoder knows about an old image, to be kept for the next patches from it.

An index is the old image's suffix array. Nothing else of the work depends on the old image only:
places, segments and prices belong to pairs of images.

A stored index: 8 bytes of magic with the version, 8 of the image's size, the SHA-256 digests of the
image and of what follows, then the suffixes, 4 bytes each. Numbers are little-endian.
"""

from __future__ import annotations

import hashlib
import struct
import sys
from array import array
from typing import NamedTuple

from fotabuild.delta import native_kernel
from fotabuild.delta.search import open_kernel
from fotabuild.errors import DeltaError

_MAGIC = b"FOTAIDX1"
_HEADER = struct.Struct("<8sQ32s32s")
_LARGEST_IMAGE = 2**28


class OldIndex(NamedTuple):
    """The index of an old image.

    Attributes:
        old: the image.
        suffixes: the starts of its suffixes, in the order of the suffixes.
    """

    old: bytes
    suffixes: array[int]

    def to_bytes(self) -> bytes:
        """Return what :meth:`from_bytes` reads: 80 bytes, and 4 for each byte of the image."""
        body = _little_endian(self.suffixes).tobytes()
        digests = hashlib.sha256(self.old).digest(), hashlib.sha256(body).digest()
        return _HEADER.pack(_MAGIC, len(self.old), *digests) + body

    @classmethod
    def from_bytes(cls, data: bytes, old: bytes) -> OldIndex:
        """Return a stored index.

        Args:
            data: what :meth:`to_bytes` gave.
            old: the image that the index is of.

        Raises:
            DeltaError: the index is damaged, forged, or that of another image or version.
        """
        if len(data) < _HEADER.size or not data.startswith(_MAGIC):
            raise _refused("is none, or of another version")
        _, size, image_digest, body_digest = _HEADER.unpack_from(data)
        if size != len(old) or image_digest != hashlib.sha256(old).digest():
            raise _refused("is that of another image")
        body = memoryview(data)[_HEADER.size :]
        if len(body) != 4 * size or body_digest != hashlib.sha256(body).digest():
            raise _refused("is damaged")
        suffixes = array("i")
        suffixes.frombytes(body)
        suffixes = _little_endian(suffixes)
        if not _is_suffix_array(old, suffixes):  # A digest can be forged, too.
            raise _refused("is not the order of the image's suffixes")
        return cls(old, suffixes)


def build_index(old: bytes) -> OldIndex:
    """Return the index of an image, for ``make_patch`` with this one as the old image.

    Raises:
        DeltaError: the image is larger than 256 MiB.
    """
    if len(old) > _LARGEST_IMAGE:
        raise DeltaError(f"an image of {len(old)} bytes is too large for an index")
    return OldIndex(old, open_kernel(old, b"").suffixes)


def _is_suffix_array(old: bytes, suffixes: array[int]) -> bool:
    if native_kernel.usable_for(old, b""):
        return native_kernel.is_suffix_array(old, suffixes)
    from fotabuild.delta.suffix_array import is_suffix_array  # Most installations need it never.

    return is_suffix_array(old, suffixes)


def _little_endian(numbers: array[int]) -> array[int]:
    """Return the numbers in the other order of bytes where the machine has another one."""
    if sys.byteorder == "big":
        numbers = array("i", numbers)
        numbers.byteswap()
    return numbers


def _refused(problem: str) -> DeltaError:
    return DeltaError(f"the stored index {problem}", remedy="delete it; it is built again")
