"""``fotabuild step``: run one step of a plan; build systems call it."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.options import Subparsers
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, in_file


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "step", help="run one step of a plan (for build systems)", description=__doc__
    )
    parser.add_argument(
        "description",
        type=Path,
        help="JSON file with a 'description' that 'fotabuild --json plan' printed",
    )
    parser.add_argument(
        "--depfile", type=Path, metavar="FILE", help="write what was read, in make's syntax"
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Read the description and run its step."""
    from fotabuild.files import read_file, write_file
    from fotabuild.limits import READ_LIMITS
    from fotabuild.steps.depfile import encode_depfile
    from fotabuild.steps.description import step_from_description

    text = read_file(args.description, READ_LIMITS.config, "step description")
    with in_file(args.description):
        step = step_from_description(text)
    # The build system that calls this says itself what it makes: only warnings are news.
    for warning in step.run().warnings:
        output.warn(warning)
    if args.depfile is not None:
        write_file(args.depfile, encode_depfile(step.outputs[0], step.inputs))
    return ExitStatus.OK
