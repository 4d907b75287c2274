"""Dependency files in make's syntax, as CMake and Ninja read them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from pathlib import Path

_SPECIAL = re.compile(r"[ #\\]")


def encode_depfile(target: Path, inputs: Iterable[Path]) -> bytes:
    """Return the text that makes ``target`` depend on the absolute paths of ``inputs``."""
    names = " ".join(_escape(path.absolute()) for path in inputs)
    return f"{_escape(target.absolute())}: {names}\n".encode()


def _escape(path: Path) -> str:
    return _SPECIAL.sub(r"\\\g<0>", path.as_posix()).replace("$", "$$")
