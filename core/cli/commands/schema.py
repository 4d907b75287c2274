"""``fotabuild schema``: print the JSON schema of fotabuild.yaml."""

from __future__ import annotations

import argparse

from fotabuild.cli.options import Subparsers
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "schema",
        help="print the JSON schema of fotabuild.yaml",
        description="Prints the JSON schema (draft 2020-12), which editors use to check and "
        "complete fotabuild.yaml.",
    )
    parser.set_defaults(run=run)


def run(_: argparse.Namespace, output: Output) -> int:
    """Print the schema."""
    import json

    from fotabuild.config.schema import project_schema

    schema = project_schema()
    output.result({"schema": schema}, json.dumps(schema, indent=2))
    return ExitStatus.OK
