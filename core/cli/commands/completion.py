"""``fotabuild completion``: print a completion script for a shell."""

from __future__ import annotations

import argparse

from fotabuild.cli.options import Subparsers
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus

_SHELLS = ("bash", "zsh", "tcsh")


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "completion",
        help="print a completion script for a shell",
        description="Prints a script that makes the shell complete commands and options.",
    )
    parser.add_argument("shell", choices=_SHELLS, help="the shell")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Print the script that shtab makes of the parser."""
    import shtab

    from fotabuild.cli.main import make_parser

    script = shtab.complete(make_parser(), args.shell)
    output.result({"script": script}, script)
    return ExitStatus.OK
