"""Loading the compiled parts, where the installation could build them."""

from __future__ import annotations

import ctypes
import os
import sys
from pathlib import Path

_SUFFIX = {"win32": "dll", "darwin": "dylib"}.get(sys.platform, "so")


def turned_off() -> bool:
    """Whether the user wants Python to do the work: ``FOTABUILD_PURE_PYTHON=1``."""
    return os.environ.get("FOTABUILD_PURE_PYTHON") == "1"


def file_names(name: str) -> tuple[str, ...]:
    """Return what compilers of this platform call the library of a name."""
    return f"lib{name}.{_SUFFIX}", f"{name}.{_SUFFIX}"


def load(folder: Path, name: str) -> ctypes.CDLL | None:
    """Return the library of a name in a folder; None without, or if it is of another machine."""
    for file_name in file_names(name):
        path = folder / file_name
        if path.is_file():
            try:
                return ctypes.CDLL(str(path))
            except OSError:  # Python does the work.
                return None
    return None
