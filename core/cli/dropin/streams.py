"""The standard streams of the programs: any may be closed, full, or take text only."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator
from typing import Any, TextIO

from fotabuild.errors import FileError

_REMEDY = "open it, or name a file"


def print_text(text: str, stream: TextIO | None) -> None:
    """Print a line, also where the encoding of the stream lacks a character.

    Raises:
        FileError: there is no such stream.
        OSError: it cannot be written.
    """
    if stream is None:
        raise FileError("standard output is closed", remedy=_REMEDY)
    encoding = getattr(stream, "encoding", None) or "ascii"
    with _given_up_on_failure(stream):
        stream.write(text.encode(encoding, "backslashreplace").decode(encoding) + "\n")
        stream.flush()


def print_bytes(data: bytes) -> None:
    """Write to standard output what is no text; errors as for :func:`print_text`."""
    if sys.stdout is None:
        raise FileError("standard output is closed", remedy=_REMEDY)
    binary: Any = getattr(sys.stdout, "buffer", None)
    if binary is None:
        raise FileError("this standard output takes no bytes", remedy="name a file")
    with _given_up_on_failure(sys.stdout):
        binary.write(data)
        sys.stdout.flush()


def read_stdin(limit: int) -> bytes:
    """Read standard input to its end, but not more than ``limit`` bytes.

    Raises:
        FileError: it is closed.
    """
    if sys.stdin is None:
        raise FileError("standard input is closed", remedy=_REMEDY)
    binary: Any = getattr(sys.stdin, "buffer", None)
    data: bytes = sys.stdin.read(limit).encode() if binary is None else binary.read(limit)
    return data


def flush_stdout() -> None:
    """Write what others left in the buffer of standard output."""
    if sys.stdout is not None:
        with contextlib.suppress(OSError), _given_up_on_failure(sys.stdout):
            sys.stdout.flush()


@contextlib.contextmanager
def _given_up_on_failure(stream: TextIO) -> Iterator[None]:
    """Keep what cannot be written from failing once more when the interpreter ends."""
    try:
        yield
    except OSError:
        with contextlib.suppress(OSError, ValueError, AttributeError):
            nothing = os.open(os.devnull, os.O_WRONLY)
            try:
                os.dup2(nothing, stream.fileno())
            finally:
                os.close(nothing)
        raise
