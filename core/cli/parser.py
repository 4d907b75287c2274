"""The parser of the command line, the options that every command has, and the width of help."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Iterator
from typing import Any

_COLUMNS = 80
#: Options of the whole program. They may stand before the command, and anywhere behind it.
PROGRAM_OPTIONS = (
    (("-q", "--quiet"), "print errors only"),
    (("--debug",), "show tracebacks of errors"),
    (("--json",), "print results as one JSON object"),
)
_GROUP = "options of every command"


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


def add_program_options(parser: argparse.ArgumentParser) -> None:
    """Add the options of the whole program to a parser and to every command below it."""
    for names, text in PROGRAM_OPTIONS:
        parser.add_argument(*names, action="store_true", help=text)
    for command in _commands_below(parser):
        own = command._option_string_actions
        group = command.add_argument_group(_GROUP)
        for names, text in PROGRAM_OPTIONS:
            free = [name for name in names if name not in own]
            if free:
                # Without a default: it would replace what was given before the command.
                group.add_argument(*free, action="store_true", default=argparse.SUPPRESS, help=text)


def _commands_below(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                yield command
                yield from _commands_below(command)


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
