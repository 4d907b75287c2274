"""Entry point of ``fotabuild``: parse, call the command, turn errors into exit statuses."""

from __future__ import annotations

import argparse
import importlib
import os
import signal
import sys
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from fotabuild import __version__
from fotabuild.cli.output import Output
from fotabuild.cli.parser import PROGRAM_OPTIONS, Parser, RawHelpFormatter, add_program_options
from fotabuild.cli.termination import ended_as_interrupted
from fotabuild.errors import ExitStatus, FileError, FotabuildError

# Each is a module of fotabuild.cli.commands.
_COMMANDS = (
    "init",
    "migrate",
    "build",
    "plan",
    "step",
    "resources",
    "image",
    "delta",
    "matrix",
    "release",
    "package",
    "manifest",
    "encrypt",
    "suit",
    "keys",
    "upload",
    "cleanup",
    "device",
    "serve",
    "inspect",
    "verify",
    "report",
    "provenance",
    "config",
    "schema",
    "completion",
)
_FLAGS = tuple(name for names, _ in PROGRAM_OPTIONS for name in names)
_EPILOG = """\
exit status: 0 ok, 1 failed, 2 wrong usage, 3 verification failed, 4 service, 5 campaign not
successful, 6 no device, 7 timed out, 130 interrupted, 143 terminated.
Results go to stdout, everything for people to stderr.
"""


class _PrintFolder(argparse.Action):
    """Prints a folder of the installation, given by its parts below the package, and exits."""

    def __init__(self, *, const: tuple[str, ...], **options: Any) -> None:
        super().__init__(nargs=0, **options)
        self._parts = const

    def __call__(self, parser: argparse.ArgumentParser, *_: object) -> None:
        folder = Path(__file__).parents[1].joinpath(*self._parts)
        if not folder.is_dir():
            parser.error("this installation was made without CMake; install it again with CMake")
        sys.stdout.write(f"{folder.as_posix()}\n")
        parser.exit()


def make_parser(command: str | None = None) -> argparse.ArgumentParser:
    """Return the parser of the whole command line.

    Args:
        command: leave out all commands but this one, if there is such a command: a build starts
            the command line often, and importing the others takes a third of its start.
    """
    parser = Parser(
        prog="fotabuild",
        description="Firmware builds that come out updatable.",
        epilog=_EPILOG,
        formatter_class=RawHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"fotabuild {__version__}")
    parser.add_argument(
        "--cmake-dir",
        action=_PrintFolder,
        const=("share", "cmake", "FotaBuild"),
        help="print the folder of the CMake package (for -DFotaBuild_DIR) and exit",
    )
    parser.add_argument(
        "--decoder-dir",
        action=_PrintFolder,
        const=("delta", "native"),
        help="print the folder of the patch decoder's C source, for firmware, and exit",
    )
    parser.add_argument(
        "--platformio-dir",
        action=_PrintFolder,
        const=("platformio",),
        help="print the folder of PlatformIO's extra script and library, and exit",
    )
    # Without its name given, argparse formats a usage to find it: slow, as it loads archivers.
    subparsers = parser.add_subparsers(
        dest="command", metavar="COMMAND", required=True, prog=parser.prog
    )
    for name in (command,) if command in _COMMANDS else _COMMANDS:
        importlib.import_module(f"fotabuild.cli.commands.{name}").register(subparsers)
    add_program_options(parser)
    return parser


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line.

    Args:
        argv: the arguments without the program's name; ``sys.argv`` by default.

    Returns:
        The exit status, see :class:`fotabuild.errors.ExitStatus`.
    """
    argv = sys.argv[1:] if argv is None else argv
    command = next((argument for argument in argv if argument not in _FLAGS), None)
    try:
        args = make_parser(command).parse_args(argv)
    except SystemExit as stop:  # argparse has printed help (0) or what is wrong (2).
        return int(stop.code or 0)
    # Certificates with serial number 0 are in the field, and devices do not look at the number.
    warnings.filterwarnings("ignore", message="Parsed a serial number")
    output = Output(quiet=args.quiet, as_json=args.json)
    from fotabuild.signing.key_file import key_warnings_told

    try:
        with ended_as_interrupted(), key_warnings_told(output.warn):
            status = int(args.run(args, output))
        sys.stdout.flush()
        return status
    except FotabuildError as error:
        if args.debug:
            raise
        output.error(error)
        return int(error.exit_status)
    except KeyboardInterrupt as stop:
        # Ctrl-C has no number where Python itself listens to it.
        terminated = getattr(stop, "number", None) == signal.SIGTERM
        output.say("terminated" if terminated else "interrupted")
        return int(ExitStatus.TERMINATED if terminated else ExitStatus.INTERRUPTED)
    except BrokenPipeError:
        # The reader of stdout left: nothing to say to it, and nothing else went wrong.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        return int(ExitStatus.FAILED)
    except (OSError, UnicodeError) as error:
        if args.debug:
            raise
        output.error(FileError(f"the system refused: {error}"))
        return int(ExitStatus.FAILED)
    except MemoryError:
        if args.debug:
            raise
        output.error(
            FileError("the system refused: memory ran out", remedy="free some and try again")
        )
        return int(ExitStatus.FAILED)
