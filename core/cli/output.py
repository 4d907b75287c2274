"""Where things are printed: results on stdout for programs, everything else on stderr."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterable, Mapping
from typing import Any

from fotabuild.errors import FotabuildError

SCHEMA_VERSION = 1
_PIECE = 1 << 16


def counted(count: int, noun: str) -> str:
    """Return a count with its noun: ``1 device``, ``2 devices``."""
    return f"{count} {noun}{'' if count == 1 else 's'}"


class Output:
    """The two channels of the command line.

    Args:
        quiet: print errors only on stderr.
        as_json: print results as one JSON object instead of text.
    """

    def __init__(self, *, quiet: bool = False, as_json: bool = False) -> None:
        self._quiet = quiet
        self.as_json = as_json
        #: Commands that tell about events print one JSON object per line instead of a single one.
        self.as_lines = False

    @property
    def quiet(self) -> bool:
        """Whether errors only are printed on stderr."""
        return self._quiet

    def say(self, text: str) -> None:
        """Tell people something."""
        if not self._quiet:
            _print(text, sys.stderr)

    def warn(self, text: str) -> None:
        """Tell people about something that is right and may surprise them."""
        self.say(f"warning: {text}")

    def fail(self, error: FotabuildError) -> None:
        """Tell people what went wrong, in one line; for commands with a result of their own."""
        _print(f"error: {error} [{error.code}]", sys.stderr)

    def error(self, error: FotabuildError) -> None:
        """Tell people what went wrong, and programs too when they asked for JSON."""
        self.fail(error)
        self.end(error.code, str(error))

    def end(self, code: str, message: str) -> None:
        """Tell programs that asked for JSON why there is no result."""
        if self.as_json:
            event = {"event": "result"} if self.as_lines else {}
            self.result({**event, "error": {"code": code, "message": message}}, "")

    def result(self, values: Mapping[str, Any], text: str) -> None:
        """Print the result: ``values`` for programs, ``text`` for people's eyes and pipes."""
        if self.as_json:
            import json

            values = {"schema_version": SCHEMA_VERSION, **values}
            if not self.as_lines:
                _write_pieces(json.JSONEncoder(indent=2).iterencode(values), sys.stdout)
                return
            text = json.dumps(values)
        if text:
            _print(text, sys.stdout)


def _write_pieces(pieces: Iterable[str], stream: Any) -> None:
    """Print a JSON text, which is ASCII, without a copy of the whole: it may hold a payload."""
    for piece in pieces:
        for start in range(0, len(piece), _PIECE):
            stream.write(piece[start : start + _PIECE])
    stream.write("\n")


def _print(text: str, stream: Any) -> None:
    """Print, also where the terminal's encoding lacks a character."""
    if stream is sys.stderr:
        # Both may be one file, such as the log of a CI job: what was printed first comes first.
        # Where stdout is gone or full, it keeps what it has, and the end of the command tells.
        with contextlib.suppress(AttributeError, OSError, ValueError):
            sys.stdout.flush()
    encoding = stream.encoding or "ascii"
    print(text.encode(encoding, "backslashreplace").decode(encoding), file=stream)
