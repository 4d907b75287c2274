"""Log lines in the form of the older tools.

Progress and results go to stdout as theirs do; warnings and errors go to stderr, so that a script
that keeps stdout keeps no error as a result.
"""

from __future__ import annotations

import contextlib
import logging
import sys
import time
from typing import TextIO

from fotabuild.cli.dropin.streams import print_text
from fotabuild.errors import printable


class Log:
    """Writes log lines. One that cannot be written is dropped; a result that cannot is an error.

    Args:
        level: the lowest level that is written, of :mod:`logging`.
        results_on_stderr: keep stdout free for something else.
    """

    def __init__(self, level: int, *, results_on_stderr: bool = False) -> None:
        self.level = level
        self._results_on_stderr = results_on_stderr

    def debug(self, text: str) -> None:
        """Tell a detail."""
        self._tell(logging.DEBUG, text, self._stdout)

    def info(self, text: str) -> None:
        """Tell progress."""
        self._tell(logging.INFO, text, self._stdout)

    def warning(self, text: str) -> None:
        """Tell what is right and may surprise."""
        self._tell(logging.WARNING, text, sys.stderr)

    def error(self, text: str) -> None:
        """Tell why it failed."""
        self._tell(logging.ERROR, text, sys.stderr)

    def result(self, text: str) -> None:
        """Print a result: a log line like any other, or without its head when all are off.

        Args:
            text: one or more lines.

        Raises:
            FileError: there is no stdout.
            OSError: it cannot be written.
        """
        text = "\n".join(map(printable, text.split("\n")))
        if self.level <= logging.INFO:
            print_text(f"{_head(logging.INFO)} {text}", self._stdout)
        else:
            print_text(text.lstrip("\n"), self._stdout)

    @property
    def _stdout(self) -> TextIO | None:
        return sys.stderr if self._results_on_stderr else sys.stdout

    def _tell(self, level: int, text: str, stream: TextIO | None) -> None:
        if level < self.level or stream is None:
            return
        with contextlib.suppress(OSError):
            print_text(f"{_head(level)} {printable(text)}", stream)


def _head(level: int) -> str:
    now = time.time()
    stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(now))
    return f"{stamp},{int(now * 1000) % 1000:03d} {logging.getLevelName(level)}"
