"""What names of files stand for, and how to write them down."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from fotabuild.errors import OutputConflictError


def refuse_overwrite(output: Path, kept: Iterable[Path]) -> None:
    """Refuse an output that is one of the files that must be kept.

    Raises:
        OutputConflictError: it is, perhaps under another name.
    """
    for other in kept:
        if same_file(output, other):
            raise OutputConflictError(
                "this output would overwrite an input", file=output, remedy="choose another name"
            )


def same_file(one: Path, other: Path) -> bool:
    """Return whether two names stand for one file, there or not."""
    try:
        return os.path.samefile(one, other)
    except (OSError, ValueError):
        with contextlib.suppress(ValueError):
            return os.path.realpath(one) == os.path.realpath(other)
        return one == other


def relative_name(path: Path, folder: Path) -> str:
    """Return how a file is called from ``folder``, with slashes; for texts that lie there."""
    path, folder = path.absolute(), folder.absolute()
    if path.is_relative_to(folder):
        return path.relative_to(folder).as_posix()
    try:
        # The real folder: ".." goes up from there.
        return Path(os.path.relpath(path, os.path.realpath(folder))).as_posix()
    except ValueError:  # On another drive.
        return path.as_posix()
