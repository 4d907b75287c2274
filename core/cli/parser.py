"""The parser of the command line, and the width of its help."""

from __future__ import annotations

import argparse
import os
import sys
from typing import Any

_COLUMNS = 80


class HelpFormatter(argparse.HelpFormatter):
    """As argparse's. That one, made for every option, asks a module that loads archivers."""

    def __init__(self, prog: str, **options: Any) -> None:
        super().__init__(prog, **{"width": _terminal_width() - 2, **options})


class RawHelpFormatter(HelpFormatter, argparse.RawDescriptionHelpFormatter):
    """The same, for texts that are already in lines."""


class Parser(argparse.ArgumentParser):
    """As argparse's, with this formatter; commands below are of the same class."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"formatter_class": HelpFormatter, **options})


def _terminal_width() -> int:
    """Return what ``shutil.get_terminal_size()`` does."""
    try:
        columns = int(os.environ["COLUMNS"])
    except (KeyError, ValueError):
        columns = 0
    if columns <= 0:
        try:
            columns = os.get_terminal_size(sys.__stdout__.fileno()).columns  # type: ignore[union-attr]
        except (AttributeError, ValueError, OSError):
            columns = 0
    return columns or _COLUMNS
