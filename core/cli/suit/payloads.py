"""The files that a description names."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS


class Payloads:
    """Reads files beside the description or in the working directory.

    Args:
        folder: the folder of the description.
        here_first: whether the working directory is looked at first, as ``suit-tool`` does.
        warn: told when a file is not where it is looked for first, or there are two.
    """

    def __init__(self, folder: Path, *, here_first: bool, warn: Callable[[str], None]) -> None:
        folders = [(folder, "beside the description"), (Path(), "in the working directory")]
        self._folders = folders[::-1] if here_first else folders
        self._warn = warn
        self.read_paths: list[Path] = []

    def read(self, name: str) -> bytes:
        """Return the content of a file.

        Raises:
            FileError: it cannot be read.
        """
        path = self._find(name)
        self.read_paths.append(path)
        return read_file(path, READ_LIMITS.image, "payload")

    def _find(self, name: str) -> Path:
        (first, place), (second, other_place) = self._folders
        one, other = first / name, second / name
        if os.path.abspath(one) == os.path.abspath(other) or not _exists(other):
            return one
        if not _exists(one):
            self._warn(f"{name}: not {place}, taking the one {other_place}")
            return other
        self._warn(f"{name}: there is another one {other_place}; taking the one {place}")
        return one


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
