"""What is known about the delta engine here: which one it is, and how much memory it needs."""

from __future__ import annotations

import functools
import hashlib
from pathlib import Path

from fotabuild import __version__
from fotabuild.delta import encoder

_ROOMS = ("delta", "formats")
_PROCESS_BYTES = 48 << 20
_BYTES_PER_OLD = 20
_BYTES_PER_NEW = 24


@functools.cache
def fingerprint() -> str:
    """Return what stands for this engine in keys: its source, libraries and our version.

    The source is part of it, so that nobody who works on the engine meets his old results. Formats
    belong to it: they write the bytes of a patch, and find the symbols that help with it.
    """
    digest = hashlib.sha256(f"{__version__}\n{encoder.engine()}\n".encode())
    package = Path(encoder.__file__).parents[1]
    for path in sorted(path for name in _ROOMS for path in (package / name).rglob("*")):
        if path.suffix in (".py", ".c", ".h"):
            digest.update(f"{path.relative_to(package).as_posix()}\n".encode())
            digest.update(hashlib.sha256(path.read_bytes()).digest())
    return digest.hexdigest()


def needed_memory(old_size: int, new_size: int) -> int:
    """Return the bytes that a process needs for one patch, generously."""
    return _PROCESS_BYTES + _BYTES_PER_OLD * old_size + _BYTES_PER_NEW * new_size
