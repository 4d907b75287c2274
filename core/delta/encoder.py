"""The delta encoder: two images in, a patch out that was applied and compared before it leaves."""

from __future__ import annotations

import bsdiff4
import lz4

from fotabuild.delta import decoder, frames, records
from fotabuild.errors import DeltaError
from fotabuild.formats.patch_stream import (
    MAX_NEW_SIZE,
    MIN_BLOCK_SIZE,
    PatchRecord,
    encode_patch,
)

DEFAULT_BLOCK_SIZE = 512


def engine() -> str:
    """Return what decides, besides the images and the block size, which bytes a patch has."""
    return f"bsdiff4 {bsdiff4.__version__}, liblz4 {lz4.library_version_string()}"


def make_patch(old: bytes, new: bytes, block_size: int = DEFAULT_BLOCK_SIZE) -> bytes:
    """Return a patch that turns ``old`` into ``new``.

    Args:
        old: the installed image; empty is allowed (everything is inserted).
        new: the image after the update, 1 to 2**32 - 1 bytes.
        block_size: frame bound in bytes; the device needs two buffers of this size.

    Raises:
        DeltaError: an empty new image, or a block size that no device accepts.
        PatchError: the patch does not give back the new image: a defect of this encoder.
    """
    if not 1 <= len(new) <= MAX_NEW_SIZE:
        raise DeltaError(
            f"no patch can make an image of {len(new)} bytes", remedy="give the new firmware image"
        )
    if not MIN_BLOCK_SIZE <= block_size <= MAX_NEW_SIZE:
        raise DeltaError(
            f"block size {block_size} is out of range",
            field="block-size",
            remedy=f"use {MIN_BLOCK_SIZE} or more; 512 fits every device",
        )
    patch = encode_patch(
        len(new),
        block_size,
        (
            PatchRecord(
                len(record.diff),
                frames.pack(record.diff, block_size),
                len(record.extra),
                frames.pack(record.extra, block_size),
                record.seek,
            )
            for record in records.match(old, new)
        ),
    )
    if decoder.apply_patch(old, patch) != new:
        raise DeltaError("the patch does not reproduce the new image", remedy="report this defect")
    return patch
