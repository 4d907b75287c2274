"""``fotabuild manifest create|parse``; ``verify`` has a file of its own."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.artifacts import run_steps
from fotabuild.cli.commands import manifest_verify
from fotabuild.cli.options import Subparsers, add_config, add_dry_run, add_signing, read_config
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, UsageError, in_file

_FORMATS = ("raw-binary", "arm-patch-stream", "combined", "encrypted-raw", "encrypted-combined")


def register(subparsers: Subparsers) -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser("manifest", help="make, read or verify a signed manifest")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _register_create(verbs)
    parse = verbs.add_parser(
        "parse",
        help="print a manifest; no signature is verified",
        description="Reads a v3 manifest strictly and prints its fields.",
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
    create.add_argument(
        "-v", "--fw-version", required=True, metavar="VERSION", help="version after the update"
    )
    create.add_argument(
        "-o", "--output", type=Path, required=True, metavar="MANIFEST", help="the manifest"
    )
    create.add_argument(
        "-p",
        "--payload",
        metavar="FILE",
        help="the payload; for encrypted formats the plain one (default: payload.file-path)",
    )
    create.add_argument(
        "--format", choices=_FORMATS, help="what the payload is (default: payload.format)"
    )
    create.add_argument(
        "--url", metavar="URL", help="where devices download it (default: payload.url)"
    )
    create.add_argument(
        "--component", metavar="NAME", help="what it updates (default: the project's component)"
    )
    create.add_argument("--current-fw", type=Path, metavar="OLD", help="image a patch starts from")
    create.add_argument("--current-version", metavar="VERSION", help="version of that image")
    create.add_argument(
        "--encrypted-digest", metavar="HEX", help="SHA-256 of the encrypted payload"
    )
    create.add_argument("--encrypted-size", metavar="BYTES", help="size of the encrypted payload")
    add_config(create)
    add_signing(create)
    add_dry_run(create)
    create.set_defaults(run=run_create)


def run_create(args: argparse.Namespace, output: Output) -> int:
    """Run the one step."""
    from fotabuild.formats.firmware_version import FirmwareVersion
    from fotabuild.plan.make import StepMaker
    from fotabuild.steps.manifest import Precursor

    config = read_config(
        args,
        component=args.component,
        payload__file_path=args.payload,
        payload__format=args.format,
        payload__url=args.url,
        payload__encrypted__digest=args.encrypted_digest,
        payload__encrypted__size=args.encrypted_size,
    )
    payload = config.project.payload
    if payload.file_path is None or payload.format is None:
        raise UsageError("no payload given", remedy="give --payload and --format")
    precursor = None
    if args.current_fw is not None:
        version = args.current_version and FirmwareVersion.parse(args.current_version)
        precursor = Precursor(args.current_fw, version or None)
    step = StepMaker(config).manifest(
        Path(payload.file_path),
        payload.format,
        FirmwareVersion.parse(args.fw_version),
        args.output,
        precursor=precursor,
    )
    return run_steps(args, output, [step])


def run_parse(args: argparse.Namespace, output: Output) -> int:
    """Read and print a manifest."""
    from fotabuild.files import read_file
    from fotabuild.formats.manifest_v3 import decode_signed
    from fotabuild.inspection import manifest_fields, to_text
    from fotabuild.limits import READ_LIMITS

    data = read_file(args.manifest, READ_LIMITS.manifest, "manifest")
    with in_file(args.manifest):
        fields = manifest_fields(decode_signed(data))
    output.say("note: the signature was not verified; use 'fotabuild manifest verify'")
    output.result({"manifest": fields}, to_text(fields))
    return ExitStatus.OK
