"""liblz4 as it is in the ``lz4`` package, for C code that compresses many short strings.

The package clears 256 KiB for each of them. With functions of liblz4's public interface that is
done once; where an installation hides them, the package does the work, and the bytes are the same.
"""

from __future__ import annotations

import ctypes
import functools

import lz4.block

_NAMES = (
    "LZ4_createStreamHC",
    "LZ4_resetStreamHC_fast",
    "LZ4_compress_HC_continue",
    "LZ4_freeStreamHC",
)


@functools.cache
def stream_functions() -> tuple[ctypes.c_void_p, ...] | None:
    """Return the addresses of what makes, resets, uses and frees a stream; None if hidden."""
    try:
        library = ctypes.CDLL(lz4.block._block.__file__)
        return tuple(ctypes.cast(getattr(library, name), ctypes.c_void_p) for name in _NAMES)
    except (OSError, AttributeError):
        return None
