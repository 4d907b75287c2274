"""``fotabuild migrate``: take over a set-up of manifest-tool."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.options import Subparsers
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "migrate",
        help="make a fotabuild.yaml from a set-up of manifest-tool",
        description="Reads a cache folder of manifest-dev-tool, a configuration of manifest-tool, "
        "or a .manifest_tool.json of release 1, and writes a fotabuild.yaml with the same "
        "identity, key and certificate. Files are named, not copied; secrets stay where they are.",
    )
    parser.add_argument(
        "source",
        type=Path,
        nargs="?",
        help="cache folder or configuration (default: .manifest-dev-tool or .manifest_tool.json)",
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        default=Path("fotabuild.yaml"),
        metavar="YAML",
        help="the new configuration (default: %(default)s)",
    )
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Write the configuration and say what is left to do."""
    from fotabuild.migration import find_source, migrate

    source = args.source or find_source(Path())
    _, notes = migrate(source, args.output)
    for note in notes:
        output.say(f"note: {note}")
    output.result({"config": str(args.output), "notes": notes}, str(args.output))
    return ExitStatus.OK
