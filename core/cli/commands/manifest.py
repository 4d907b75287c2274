"""``fotabuild manifest create|parse``; the other verbs have files of their own."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.artifacts import run_steps
from fotabuild.cli.commands import manifest_split, manifest_v1, manifest_verify
from fotabuild.cli.commands.manifest_payload import add_payload, manifest_step
from fotabuild.cli.options import Subparsers, add_config, add_dry_run, add_signing
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, in_file


def register(subparsers: Subparsers) -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser("manifest", help="make, read or verify a signed manifest")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True, prog=parser.prog)
    _register_create(verbs)
    manifest_v1.register(verbs)
    manifest_split.register(verbs)
    parse = verbs.add_parser(
        "parse",
        help="print a manifest; no signature is verified",
        description="Reads a manifest of schema v3 or v1 strictly and prints its fields.",
    )
    parse.add_argument("manifest", type=Path, help="the manifest")
    parse.set_defaults(run=run_parse)
    manifest_verify.register(verbs)


def _register_create(verbs: Subparsers) -> None:
    create = verbs.add_parser(
        "create",
        help="describe and sign one payload",
        description="Makes a signed v3 manifest and checks it as a device does before it is "
        "written. With --current-fw a patch is applied as part of that check.",
    )
    add_payload(create)
    create.add_argument(
        "-o", "--output", type=Path, required=True, metavar="MANIFEST", help="the manifest"
    )
    add_config(create)
    add_signing(create)
    add_dry_run(create)
    create.set_defaults(run=run_create)


def run_create(args: argparse.Namespace, output: Output) -> int:
    """Run the one step."""
    return run_steps(args, output, [manifest_step(args)])


def run_parse(args: argparse.Namespace, output: Output) -> int:
    """Read and print a manifest."""
    from fotabuild.files.reading import read_file
    from fotabuild.inspection import read_manifest, to_text
    from fotabuild.limits import READ_LIMITS

    data = read_file(args.manifest, READ_LIMITS.manifest, "manifest")
    with in_file(args.manifest):
        fields = read_manifest(data)
    output.say("note: the signature was not verified; use 'fotabuild manifest verify'")
    output.result({"manifest": fields}, to_text(fields))
    return ExitStatus.OK
