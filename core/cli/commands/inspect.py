"""``fotabuild inspect``: recognise a file and print what is in it."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.options import Subparsers
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, in_file


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "inspect",
        help="recognise a file and print what is in it",
        description="Recognises manifests, those of SUIT too, patches, side files, packages, "
        "certificates, update resources, configurations and linked firmware by their bytes; "
        "anything else is taken as a firmware image. Nothing of a private key is printed.",
    )
    parser.add_argument("file", type=Path, help="any file")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Inspect the file."""
    from fotabuild.files import read_file
    from fotabuild.inspection import inspect_bytes, to_text
    from fotabuild.limits import READ_LIMITS

    data = read_file(args.file, READ_LIMITS.package, "file")
    with in_file(args.file):
        found = inspect_bytes(data)
    output.result(
        {"file": str(args.file), "kind": found.kind, "fields": dict(found.fields)},
        f"{args.file}: {found.kind}\n{to_text(found.fields, '  ')}",
    )
    return ExitStatus.OK
