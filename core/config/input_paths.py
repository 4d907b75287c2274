"""Paths in inputs of manifest-tool: beside the input, or in the working directory as there."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path


class InputPaths:
    """Finds the files that an input names.

    Args:
        folder: the folder of the input.
        warn: told of every file that is not beside the input.
    """

    def __init__(self, folder: Path, warn: Callable[[str], None]) -> None:
        self._folder = folder
        self._warn = warn

    def find(self, name: str) -> Path:
        """Return the absolute path of a file; where there is none, that beside the input."""
        beside = Path(os.path.normpath(self._folder.absolute() / name))
        here = Path(os.path.abspath(name))
        if beside == here or not _exists(here):
            return beside
        if _exists(beside):
            self._warn(
                f"{name}: there is one beside the configuration and one in the working directory; "
                f"taking {beside}, where older tools take {here}"
            )
            return beside
        self._warn(f"{name}: not beside the configuration, taking {here}")
        return here

    def program(self, name: str) -> str:
        """Return the path of a signing tool, or its bare name, to be looked up on PATH."""
        path = self.find(name)
        return name if Path(name).parent == Path() and not _exists(path) else str(path)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False
