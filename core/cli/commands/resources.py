"""``fotabuild resources``: write ``update_default_resources.c``."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.artifacts import run_steps
from fotabuild.cli.options import Subparsers, add_config, add_dry_run, read_config
from fotabuild.cli.output import Output


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "resources",
        help="write the update resources C source",
        description="Writes the C source with vendor id, class id and update certificate, to be "
        "compiled into the firmware. The file is left alone when nothing in it changes.",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="C",
        default=Path("update_default_resources.c"),
        help="the C file (default: %(default)s)",
    )
    parser.add_argument("--update-certificate", metavar="CERT", help="the update certificate")
    add_config(parser)
    add_dry_run(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Run the one step."""
    from fotabuild.plan.make import StepMaker

    return run_steps(args, output, [StepMaker(read_config(args)).resources(args.output)])
