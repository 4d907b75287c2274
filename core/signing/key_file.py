"""A word about files with private keys that others can read, wherever one is used."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

_OTHERS = 0o077


class _Warnings:
    """Tells about each file once.

    Args:
        tell: takes the text.
    """

    def __init__(self, tell: Callable[[str], None]) -> None:
        self._tell = tell
        self._told: dict[str, object] = {}

    def about(self, path: Path, what: str) -> None:
        mine = object()  # One call, that no other thread gets into the middle of.
        if self._told.setdefault(os.path.realpath(path), mine) is mine:
            self._tell(f"{path}: others can read this {what}; chmod 600 {path}")


def _write(text: str) -> None:
    if sys.stderr is not None:
        sys.stderr.write(f"fotabuild: warning: {text}\n")


# Of the process: steps that run in parallel threads speak with one voice.
_warnings = _Warnings(_write)


def warn_if_open(path: Path, what: str = "private key") -> None:
    """Warn, once in a run, of a key file that was read and that others can read too.

    Args:
        path: the file, or a pipe, which is nobody else's.
        what: what it is to the reader.
    """
    if open_to_others(path):
        _warnings.about(path, what)


def open_to_others(path: Path) -> bool:
    """Return whether this is a file that other users of the machine can read or change."""
    if os.name != "posix":
        return False
    try:
        mode = path.stat().st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and bool(mode & _OTHERS)


@contextlib.contextmanager
def key_warnings_told(tell: Callable[[str], None]) -> Iterator[None]:
    """Have ``tell`` called about key files that others can read: once for each, and not stderr.

    For a command line, which is one run and has a channel of its own for warnings.
    """
    global _warnings
    before, _warnings = _warnings, _Warnings(tell)
    try:
        yield
    finally:
        _warnings = before
