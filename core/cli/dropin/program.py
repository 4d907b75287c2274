"""What the four programs have in common: options of the top level, exit statuses, option types."""

from __future__ import annotations

import argparse
import contextlib
import io
import logging
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from fotabuild import __version__
from fotabuild.cli.dropin.environment import with_variables
from fotabuild.cli.dropin.log import Log
from fotabuild.cli.dropin.streams import flush_stdout
from fotabuild.cli.termination import ended_as_interrupted
from fotabuild.errors import FileError, FotabuildError, UsageError
from fotabuild.files.reading import is_pipe
from fotabuild.signing.key_file import key_warnings_told

#: The release whose command line this is.
COMPATIBLE = "2.6.2"
OK, FAILED, USAGE = 0, 1, 2
#: What stands for stdin or stdout in place of a file.
STDIN = STDOUT = "-"
Run = Callable[[argparse.Namespace, Log], None]
_Value = TypeVar("_Value")


def run_program(
    parser: argparse.ArgumentParser, argv: Sequence[str] | None, level: int = logging.DEBUG
) -> int:
    """Parse, run the command, turn its outcome into an exit status.

    Args:
        parser: sets ``run`` among its defaults.
        argv: the arguments without the program's name; ``sys.argv`` by default.
        level: the level of the log, without ``-q`` and ``--debug``.

    Returns:
        0, 1 after any error, 2 after wrong usage.
    """
    argv = sys.argv[1:] if argv is None else argv
    try:
        if any("\0" in argument for argument in argv):  # Only Python code can give one.
            parser.error("an argument holds a NUL character")
        with contextlib.ExitStack() as stack:
            if sys.stderr is None:  # As under a program without a console: argparse needs one.
                stack.enter_context(contextlib.redirect_stderr(io.StringIO()))
            args = parser.parse_args(argv)
    except SystemExit as stop:  # argparse has printed help (0) or what is wrong (2).
        flush_stdout()
        return int(stop.code or OK)
    debug = getattr(args, "debug", False)
    if getattr(args, "quiet", False):
        level = logging.ERROR
    log = Log(
        logging.DEBUG if debug else level,
        # From the first line on: what makes the manifest must find nothing else there.
        results_on_stderr=getattr(args, "output", None) == STDOUT,
    )
    run: Run = args.run
    try:
        with ended_as_interrupted(), key_warnings_told(log.warning):
            run(args, log)
        return OK
    except FotabuildError as error:
        _fail(error, with_variables(error), log, debug)
        return USAGE if isinstance(error, UsageError) else FAILED
    except KeyboardInterrupt as stop:
        log.error("interrupted")
        # Commands that clean up know the signal, and end as one ends that a signal ended.
        number: int | None = getattr(stop, "number", None)
        return FAILED if number is None else 128 + number
    except BrokenPipeError:
        pass  # The reader of stdout left: nothing to say to it, and nothing else went wrong.
    except (OSError, UnicodeError) as error:
        refused = FileError(f"the system refused: {error}")
        _fail(refused.with_traceback(error.__traceback__), str(refused), log, debug)
    return FAILED


def _fail(error: FotabuildError, text: str, log: Log, debug: bool) -> None:
    log.error(f"{text} [{error.code}]")
    if debug and sys.stderr is not None:
        traceback.print_exception(error, file=sys.stderr)


def add_version(parser: argparse.ArgumentParser) -> None:
    """Add ``--version``, which answers as the older tools do, and ``--debug``."""
    parser.epilog = (
        f"This is fotabuild {__version__}, with the command line of manifest-tool {COMPATIBLE}."
    )
    parser.add_argument(
        "--version",
        action="version",
        version=f"Manifest-Tool version {COMPATIBLE}",
        help="show which release's command line this is, and exit",
    )
    parser.add_argument("--debug", action="store_true", help="show tracebacks of errors")


def checked(parse: Callable[[str], _Value]) -> Callable[[str], _Value]:
    """Return an option type that reports our errors as wrong usage."""

    def convert(text: str) -> _Value:
        try:
            return parse(text)
        except FotabuildError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return convert


def existing_file(text: str) -> Path:
    """Return the path of a file that is there; an option type."""
    with contextlib.suppress(OSError, ValueError):
        if Path(text).is_file():
            return Path(text)
    raise argparse.ArgumentTypeError(f"there is no file {text!r}")


def readable_file(text: str) -> Path:
    """Return the path of a file or pipe that is there; an option type."""
    with contextlib.suppress(OSError, ValueError):
        path = Path(text)
        if path.is_file() or is_pipe(path.stat().st_mode):
            return path
    raise argparse.ArgumentTypeError(f"there is no file {text!r}")


def integer(minimum: int, maximum: int | None = None) -> Callable[[str], int]:
    """Return an option type for whole numbers in a range."""

    def convert(text: str) -> int:
        digits = text.removeprefix("-")
        if digits.isascii() and digits.isdigit() and len(digits) <= 20:
            number = int(text)
            if minimum <= number and (maximum is None or number <= maximum):
                return number
        bounds = f"of at least {minimum}" if maximum is None else f"from {minimum} to {maximum}"
        raise argparse.ArgumentTypeError(f"{text!r} is not a number {bounds}")

    return convert


def commands(parser: argparse.ArgumentParser) -> Any:
    """Return the place where the commands of a program are added."""
    return parser.add_subparsers(dest="action", metavar="COMMAND", required=True)
