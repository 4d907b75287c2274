"""``fotabuild manifest verify``: check a manifest as a device would."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.acceptance import print_report
from fotabuild.cli.commands.manifest_v1 import parse_number
from fotabuild.cli.options import Subparsers, add_config, find_config, read_config
from fotabuild.cli.output import Output
from fotabuild.errors import ConfigError, in_file

if TYPE_CHECKING:
    from fotabuild.device.manifest_acceptance import Device


def register(verbs: Subparsers) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "verify",
        help="check a manifest as a device would",
        description="Prints one line for each check. Identity, features and limits of the device "
        "come from the configuration, and so does the certificate unless a key is given here. "
        "What is not given is skipped: without a payload nothing of it is checked.",
    )
    parser.add_argument("manifest", type=Path, help="the manifest")
    key = parser.add_mutually_exclusive_group()
    key.add_argument("--certificate", type=Path, metavar="CERT", help="the device's certificate")
    key.add_argument("--public-key", type=Path, metavar="FILE", help="65 bytes, uncompressed")
    parser.add_argument("--payload", type=Path, metavar="FILE", help="what the device downloads")
    parser.add_argument(
        "--installed-image", type=Path, metavar="FILE", help="the image that runs on the device"
    )
    parser.add_argument(
        "--installed-version",
        metavar="VERSION",
        help="the version that runs on the device; also a number, with v1 manifests",
    )
    parser.add_argument(
        "--no-config", action="store_true", help="use no configuration, even if there is one"
    )
    add_config(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Check a manifest and print each result."""
    from fotabuild.files.reading import read_file
    from fotabuild.formats.manifest_schema import schema_of
    from fotabuild.limits import READ_LIMITS

    data = read_file(args.manifest, READ_LIMITS.manifest, "manifest")
    payload = args.payload and read_file(args.payload, READ_LIMITS.package, "payload")
    device = _device(args)
    if device.public_key is None:
        raise ConfigError(
            "no key to verify with", remedy="give --certificate or --public-key, or a configuration"
        )
    # Each knows a format that the other does not need.
    if schema_of(data) == 1:
        from fotabuild.device.manifest_v1_acceptance import accept_manifest_v1 as accept
    else:
        from fotabuild.device.manifest_acceptance import accept_manifest as accept
    report = accept(data, device, payload)
    for warning in device.profile.warnings:
        output.warn(warning)
    return print_report(report, args.manifest, output)


def _device(args: argparse.Namespace) -> Device:
    from fotabuild.device.manifest_acceptance import Device
    from fotabuild.device.profile import DeviceProfile
    from fotabuild.files.reading import read_file
    from fotabuild.formats.firmware_version import FirmwareVersion
    from fotabuild.limits import READ_LIMITS
    from fotabuild.signing.certificate import public_key_of, read_certificate
    from fotabuild.signing.verify import load_public_key

    profile = DeviceProfile(enforced=args.profile != "none")
    identity, certificate = None, args.certificate
    if not args.no_config and (args.config or _has_config()):
        config = read_config(args)
        profile = config.project.device.to_profile()
        identity = config.identity
        configured = config.project.credentials.certificate
        if certificate is None and args.public_key is None and configured is not None:
            certificate = Path(configured)
    key = der = None
    if args.public_key is not None:
        key = read_file(args.public_key, READ_LIMITS.key, "public key")
        with in_file(args.public_key):
            load_public_key(key)
    if certificate is not None:
        with in_file(certificate):
            der = read_certificate(certificate)
            key = public_key_of(der)
    image, version = args.installed_image, args.installed_version
    timestamp = None
    if version and "." not in version:
        timestamp, version = parse_number(version), None
    return Device(
        profile=profile,
        public_key=key,
        identity=identity,
        installed_version=version and FirmwareVersion.parse(version),
        installed_image=image and read_file(image, READ_LIMITS.image, "installed image"),
        certificate=der,
        installed_timestamp=timestamp,
    )


def _has_config() -> bool:
    try:
        find_config()
    except ConfigError:
        return False
    return True
