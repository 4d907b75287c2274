"""``suit-tool``: create, parse, sign, keygen, pubkey, sever. Writes draft-09 by default."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from fotabuild import __version__
from fotabuild.cli.dropin.log import Log
from fotabuild.cli.dropin.program import commands, run_program
from fotabuild.cli.suit.options import (
    add_create,
    add_keygen,
    add_parse,
    add_pubkey,
    add_sever,
    add_sign,
)
from fotabuild.cli.suit.view import STREAM, View
from fotabuild.formats.suit.names import SPECIFICATION, Profile

#: The release whose command line this is.
_COMPATIBLE = "0.0.2"
_LEVELS = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "exception": logging.ERROR,
}


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="suit-tool",
        description="Make, read and sign SUIT manifests.",
        epilog=f"This is fotabuild {__version__}, with the command line of suit-tool "
        f"{_COMPATIBLE}.",
    )
    parser.add_argument(
        "-l",
        "--log-level",
        choices=list(_LEVELS),
        default="info",
        help="what is logged (default: %(default)s)",
    )
    parser.add_argument(
        "--version",
        action="version",
        version=_COMPATIBLE,
        help="show which release's command line this is, and exit",
    )
    actions = commands(parser)
    create = actions.add_parser("create", help="make an unsigned manifest")
    add_create(create, Profile.DRAFT_09)
    create.set_defaults(run=_create)
    sign = actions.add_parser("sign", help="add a signature to a manifest")
    add_sign(sign)
    sign.set_defaults(run=_sign)
    parse = actions.add_parser("parse", help="print a manifest")
    add_parse(parse, View.DIAGNOSTIC)
    parse.set_defaults(run=_parse)
    keygen = actions.add_parser("keygen", help="make a private key")
    keygen.add_argument(
        "-o",
        "--output-file",
        type=Path,
        default=STREAM,
        metavar="FILE",
        help="the private key (default: stdout)",
    )
    add_keygen(keygen)
    keygen.set_defaults(run=_keygen)
    pubkey = actions.add_parser("pubkey", help="print the public half of a key")
    add_pubkey(pubkey)
    pubkey.set_defaults(run=_pubkey)
    sever = actions.add_parser("sever", help="remove severed elements")
    add_sever(sever)
    sever.set_defaults(run=_sever)
    return parser


def entry_point(argv: Sequence[str] | None = None) -> int:
    """Run the program; ``argv`` does not hold its name."""
    return run_program(make_parser(), argv)


def _create(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.cli.suit import actions

    _set_level(args, log)
    actions.run_create(args, log.warning, here_first=True)
    if args.profile == Profile.DRAFT_09.value:
        log.warning(
            f"this is the format of draft-09, as older devices need it; --profile current writes "
            f"{SPECIFICATION}"
        )
    _say(args, log, "Created")


def _sign(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.cli.suit import actions

    _set_level(args, log)
    algorithm = actions.run_sign(args)
    _say(args, log, f"Signed with {algorithm}:")


def _parse(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.cli.suit import actions
    from fotabuild.cli.suit.streams import write_output

    _set_level(args, log)
    write_output(STREAM, actions.run_parse(args))


def _keygen(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.cli.suit import actions

    _set_level(args, log)
    actions.run_keygen(args)
    log.debug("made a key")


def _pubkey(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.cli.suit import actions
    from fotabuild.cli.suit.streams import write_output

    _set_level(args, log)
    data = actions.run_pubkey(args)
    if args.output_file in (None, STREAM):
        write_output(STREAM, [data])


def _sever(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.cli.suit import actions

    _set_level(args, log)
    removed = actions.run_sever(args)
    _say(args, log, f"Removed {', '.join(removed) or 'nothing'}:")


def _set_level(args: argparse.Namespace, log: Log) -> None:
    log.level = _LEVELS[args.log_level]


def _say(args: argparse.Namespace, log: Log, text: str) -> None:
    """Print one line on stdout, unless the result is there."""
    if args.output_file != STREAM:
        log.info(f"{text} {args.output_file}")


if __name__ == "__main__":
    sys.exit(entry_point())
