"""The C reference decoder, when the installation could build it.

It is the same source that devices compile (``core/delta/native``), loaded through ctypes, so a
patch that passes here was decoded by the code that decodes it in the field.
"""

from __future__ import annotations

import ctypes
import functools
from pathlib import Path

from fotabuild.delta import shared_library
from fotabuild.errors import PatchError
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader

_SUCCESS = ("ok", "done")
_LARGEST_EXPANSION = 255
_PROBLEMS = {
    "error_largest_frame": "the header is wrong about the longest frame",
    "error_varint": "a number has more than 7 bytes, is not minimal, or is minus zero",
    "error_output_overrun": "the record goes beyond the new image",
    "error_old_range": "the record reads outside the old image",
    "error_frame_length": "a frame has no bytes, or more than a block",
    "error_frame_data": "the frame is not a valid LZ4 block",
    "error_frame_surplus": "the frame holds more bytes than expected",
    "error_trailing": "bytes follow the end of the patch",
    "error_truncated": "the patch is cut off",
}
LIBRARY = "fotabuild_patch"
"""The library's name for linkers."""


def source_folder() -> Path:
    """Return the folder of the C source, to be compiled into device firmware."""
    return Path(__file__).with_name("native")


def available() -> bool:
    """Whether the C decoder was built. ``FOTABUILD_PURE_PYTHON=1`` turns it off."""
    return not shared_library.turned_off() and _library() is not None


@functools.cache
def _library() -> ctypes.CDLL | None:
    library = shared_library.load(source_folder(), LIBRARY)
    if library is not None:
        library.fota_patch_status_name.restype = ctypes.c_char_p
    return library


def apply_patch(old: bytes, patch: bytes, chunk_size: int) -> bytes:
    """Apply a patch as :func:`fotabuild.delta.decoder.apply_patch` does, in C."""
    library = _library()
    if library is None:
        raise RuntimeError("the C decoder is not installed")
    header = PatchHeader.decode(patch[:HEADER_SIZE])
    header.check_limits()
    # No LZ4 block unfolds further: do not reserve memory for an image that cannot be in there.
    if header.new_size > _LARGEST_EXPANSION * len(patch):
        raise PatchError("the patch is cut off", offset=len(patch))
    new = ctypes.create_string_buffer(header.new_size)
    work = ctypes.create_string_buffer(2 * header.block_size)
    new_size = ctypes.c_uint32()
    error_offset = ctypes.c_uint64()
    status = library.fota_patch_apply_buffer(
        old,
        ctypes.c_uint32(len(old)),
        patch,
        ctypes.c_uint32(len(patch)),
        ctypes.c_uint32(chunk_size),
        new,
        ctypes.c_uint32(header.new_size),
        work,
        ctypes.c_uint32(header.block_size),
        ctypes.byref(new_size),
        ctypes.byref(error_offset),
    )
    name = library.fota_patch_status_name(status).decode()
    if name not in _SUCCESS or new_size.value != header.new_size:
        problem = _PROBLEMS.get(name, f"the patch decoder says: {name}")
        raise PatchError(problem, offset=error_offset.value)
    return new.raw
