"""``fotabuild step``: run steps of a plan; build systems call it."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.options import Subparsers
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, in_file


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "step",
        help="run steps of a plan (for build systems)",
        description="Runs the described steps, one after the other. Prints warnings and errors "
        "only: the build system says itself what it makes.",
    )
    parser.add_argument(
        "descriptions",
        type=Path,
        nargs="+",
        metavar="JSON",
        help="file with a 'description' that 'fotabuild --json plan' printed",
    )
    parser.add_argument(
        "--depfile", type=Path, metavar="FILE", help="write what was read, in make's syntax"
    )
    parser.add_argument(
        "--keep-dates",
        action="store_true",
        help="an output whose bytes stay the same keeps its date, so that a build system that "
        "looks again (Ninja) leaves alone what depends on it",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Read the descriptions and run their steps."""
    from fotabuild.files.reading import read_file
    from fotabuild.files.writing import write_file
    from fotabuild.limits import READ_LIMITS
    from fotabuild.steps.depfile import encode_depfile
    from fotabuild.steps.description import step_from_description
    from fotabuild.steps.rerun import run_again

    steps = []
    for file in args.descriptions:
        with in_file(file):
            steps.append(
                step_from_description(read_file(file, READ_LIMITS.config, "step description"))
            )
    for step in steps:
        result = run_again(step) if args.keep_dates else step.run()
        for warning in result.warnings:
            output.warn(warning)
    if args.depfile is not None:
        write_file(args.depfile, encode_depfile(steps), keep_unchanged=True)
    return ExitStatus.OK
