"""``fotabuild package create|parse``: combined packages."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.artifacts import run_steps
from fotabuild.cli.options import Subparsers, add_config, add_dry_run, read_config
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, in_file


def register(subparsers: Subparsers) -> None:
    """Add the command and its two verbs."""
    parser = subparsers.add_parser("package", help="make or read a combined package")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, prog=parser.prog)
    create = verbs.add_parser(
        "create",
        help="pack the images that the configuration lists",
        description="Packs the images of package.images in their order, and reads the package "
        "back as a device does before it is written.",
    )
    create.add_argument(
        "-o", "--output", type=Path, required=True, metavar="TAR", help="the package"
    )
    create.add_argument(
        "--image",
        type=Path,
        metavar="IMAGE",
        help="the built image, for the entry without a file-name",
    )
    add_config(create)
    add_dry_run(create)
    create.set_defaults(run=run_create)
    parse = verbs.add_parser(
        "parse",
        help="check a package and print what is in it",
        description="Reads a package strictly and compares its members with its descriptor. The "
        "limits of a device are checked by 'fotabuild manifest verify --payload'.",
    )
    parse.add_argument("package", type=Path, help="the package")
    parse.set_defaults(run=run_parse)


def run_create(args: argparse.Namespace, output: Output) -> int:
    """Run the one step."""
    from fotabuild.plan.make import StepMaker

    return run_steps(args, output, [StepMaker(read_config(args)).package(args.image, args.output)])


def run_parse(args: argparse.Namespace, output: Output) -> int:
    """Read and print a package."""
    from fotabuild.files.reading import read_file
    from fotabuild.formats.combined_package import decode_package
    from fotabuild.inspection import package_fields, to_text
    from fotabuild.limits import READ_LIMITS

    data = read_file(args.package, READ_LIMITS.package, "package")
    with in_file(args.package):
        fields = package_fields(decode_package(data))
    output.result({"package": fields}, to_text(fields))
    return ExitStatus.OK
