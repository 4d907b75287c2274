"""``fotabuild image``: make the flat image of a linked ELF file."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.artifacts import run_steps
from fotabuild.cli.options import Subparsers, add_dry_run
from fotabuild.cli.output import Output


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "image",
        help="make the flat image of a linked ELF file",
        description="Lays out the loadable segments by physical address and fills the gaps with "
        "zeros, as objcopy does. A file that is not ELF is taken as the image.",
    )
    parser.add_argument("source", type=Path, help="ELF file")
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="BIN", help="the flat image"
    )
    add_dry_run(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Run the one step."""
    from fotabuild.steps.image import ImageStep

    return run_steps(args, output, [ImageStep(source=args.source, output=args.output)])
