"""``fotabuild manifest prepare|prepare-v1|attach``: signing with a key on another machine."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.commands.manifest_payload import add_payload, manifest_step
from fotabuild.cli.commands.manifest_v1 import add_payload_v1, manifest_v1_step, parse_number
from fotabuild.cli.options import Subparsers, add_config, add_dry_run, read_config
from fotabuild.cli.output import Output
from fotabuild.errors import ConfigError, ExitStatus, in_file

if TYPE_CHECKING:
    from fotabuild.steps.manifest_split import Prepared

_DESCRIPTION = (
    "Checks the manifest as a device does, all but its signature, and writes the bytes that an "
    "ECDSA with SHA-256 has to cover. Prints their digest as sha256sum does."
)


def register(verbs: Subparsers) -> None:
    """Add the verbs."""
    prepare = verbs.add_parser(
        "prepare",
        help="write the bytes to be signed, for a key on another machine",
        description=_DESCRIPTION,
    )
    add_payload(prepare)
    prepare.add_argument(
        "--image-signature",
        type=Path,
        metavar="FILE",
        help="with sign-image: signature of the image after the update, DER or raw",
    )
    _add_prepare(prepare)
    prepare.set_defaults(run=run_prepare)
    prepare_v1 = verbs.add_parser(
        "prepare-v1",
        help="the same for a manifest for an older update client",
        description=_DESCRIPTION,
    )
    add_payload_v1(prepare_v1)
    _add_prepare(prepare_v1)
    prepare_v1.set_defaults(run=run_prepare_v1)
    attach = verbs.add_parser(
        "attach",
        help="make a manifest of prepared bytes and their signature",
        description="Verifies the signature with the update certificate and checks the manifest "
        "as a device does before it is written.",
    )
    attach.add_argument("prepared", type=Path, help="what 'prepare' or 'prepare-v1' wrote")
    attach.add_argument(
        "--signature", type=Path, required=True, metavar="FILE", help="the signature, DER or raw"
    )
    attach.add_argument(
        "-o", "--output", type=Path, required=True, metavar="MANIFEST", help="the manifest"
    )
    attach.add_argument(
        "-p", "--payload", type=Path, metavar="FILE", help="what devices download, to check it too"
    )
    attach.add_argument("--current-fw", type=Path, metavar="OLD", help="image a patch starts from")
    attach.add_argument(
        "--current-version",
        metavar="VERSION",
        help="version of that image; also a number, with v1 manifests",
    )
    _add_certificate(attach)
    add_config(attach)
    attach.set_defaults(run=run_attach)


def _add_prepare(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="FILE", help="the bytes to be signed"
    )
    _add_certificate(parser)
    add_config(parser)
    add_dry_run(parser)


def _add_certificate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--update-certificate", metavar="CERT", help="certificate of the key that signs"
    )


def run_prepare(args: argparse.Namespace, output: Output) -> int:
    """Write the bytes to be signed of a v3 manifest."""
    from fotabuild.steps.manifest_split import prepare_manifest

    step = manifest_step(args, signed_here=False)
    prepared = None if args.dry_run else prepare_manifest(step, args.image_signature)
    return _report(step.output, prepared, output)


def run_prepare_v1(args: argparse.Namespace, output: Output) -> int:
    """Write the bytes to be signed of a v1 manifest."""
    from fotabuild.steps.manifest_split import prepare_manifest_v1

    step = manifest_v1_step(args, signed_here=False)
    return _report(step.output, None if args.dry_run else prepare_manifest_v1(step), output)


def _report(file: Path, prepared: Prepared | None, output: Output) -> int:
    """Print what was prepared; None is what would have been."""
    if prepared is None:
        output.say(f"would make {file.name}")
        output.result({"dry-run": True, "file": str(file)}, str(file))
        return ExitStatus.OK
    for warning in prepared.warnings:
        output.warn(warning)
    values = {
        "file": str(file),
        "size": len(prepared.data),
        "digest-algorithm": "sha256",
        "digest": prepared.digest.hex(),
    }
    output.result({"dry-run": False, "prepared": values}, f"{prepared.digest.hex()}  {file}")
    return ExitStatus.OK


def run_attach(args: argparse.Namespace, output: Output) -> int:
    """Make the manifest."""
    from fotabuild.config.kept_files import refuse_to_replace
    from fotabuild.device.manifest_acceptance import Device
    from fotabuild.files.reading import read_file
    from fotabuild.formats.firmware_version import FirmwareVersion
    from fotabuild.limits import READ_LIMITS
    from fotabuild.signing.certificate import public_key_of, read_certificate
    from fotabuild.steps.manifest_split import Attachment

    config = read_config(args)
    refuse_to_replace(config, [args.output])
    project = config.project
    if project.credentials.certificate is None:
        raise ConfigError(
            "the update certificate is needed", field="credentials.certificate", remedy="give it"
        )
    certificate = Path(project.credentials.certificate)
    der = read_certificate(certificate)
    with in_file(certificate):
        public_key = public_key_of(der)
    image, version, timestamp = args.current_fw, args.current_version, None
    if version and "." not in version:
        timestamp, version = parse_number(version), None
    device = Device(
        profile=project.device.to_profile(),
        public_key=public_key,
        identity=config.identity,
        installed_version=version and FirmwareVersion.parse(version),
        installed_image=image and read_file(image, READ_LIMITS.image, "installed image"),
        certificate=der,
        installed_timestamp=timestamp,
    )
    attachment = Attachment(
        prepared=args.prepared,
        signature=args.signature,
        device=device,
        payload=args.payload,
        output=args.output,
        installed=image,
    )
    manifest, warnings = attachment.run()
    for warning in warnings:
        output.warn(warning)
    output.result({"manifest": str(args.output), "size": len(manifest)}, str(args.output))
    return ExitStatus.OK
