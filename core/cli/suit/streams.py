"""Files of the SUIT commands; ``-`` is stdin or stdout."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterable
from pathlib import Path

from fotabuild.cli.suit.view import STREAM
from fotabuild.errors import FileError, OutputConflictError
from fotabuild.files.reading import read_file
from fotabuild.files.writing import OutputSet
from fotabuild.limits import READ_LIMITS


def read_input(path: Path, limit: int, what: str) -> bytes:
    """Read a file, a pipe, or stdin.

    Args:
        path: its name.
        limit: largest accepted size in bytes.
        what: what it is to the reader, for messages.

    Raises:
        FileError: it cannot be read, or is too large.
    """
    if path != STREAM:
        return read_file(path, limit, what, pipes=True)
    data = sys.stdin.buffer.read(limit + 1)
    if len(data) > limit:
        raise FileError(f"this {what} has more than {limit} bytes", file="stdin")
    return data


def read_envelope(path: Path) -> bytes:
    """Read a SUIT envelope.

    Raises:
        FileError: it cannot be read, or is too large.
    """
    return read_input(path, READ_LIMITS.suit_envelope, "SUIT envelope")


def write_output(
    path: Path,
    pieces: Iterable[bytes],
    *,
    inputs: Iterable[Path] = (),
    private: bool = False,
    replace: bool = True,
    dry_run: bool = False,
) -> None:
    """Write a file as a whole, or stdout.

    Args:
        path: its name.
        pieces: the content.
        inputs: files that it must not overwrite.
        private: whether only its owner may read it.
        replace: whether a file that is there may be overwritten.
        dry_run: whether everything is checked and nothing is written.

    Raises:
        OutputConflictError: it would overwrite what must stay.
        FileError: it cannot be written.
    """
    if path == STREAM:
        if not dry_run:
            sys.stdout.flush()
            sys.stdout.buffer.writelines(pieces)
            sys.stdout.buffer.flush()
        return
    # A link to nowhere is somebody's name too.
    if not replace and os.path.lexists(path):
        raise OutputConflictError(
            "there is a key already", file=path, remedy="choose another name, or remove it first"
        )
    if _holds_private_key(path):
        raise OutputConflictError(
            "this file holds a private key", file=path, remedy="choose another name"
        )
    outputs = OutputSet([each for each in inputs if each != STREAM])
    outputs.add(path, b"".join(pieces), private=private, only_new=not replace)
    if dry_run:
        outputs.check()
    else:
        outputs.commit()


def _holds_private_key(path: Path) -> bool:
    from fotabuild.signing.hss_lms import is_hss_private_key

    with contextlib.suppress(FileError):
        data = read_file(path, READ_LIMITS.key, "file")
        return b"PRIVATE KEY-----" in data or is_hss_private_key(data)
    return False
