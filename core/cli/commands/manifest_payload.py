"""Options that say what a manifest is about, and the step that they describe."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.options import read_config
from fotabuild.errors import UsageError

if TYPE_CHECKING:
    from fotabuild.steps.manifest import ManifestStep

_FORMATS = ("raw-binary", "arm-patch-stream", "combined", "encrypted-raw", "encrypted-combined")


def add_payload(parser: argparse.ArgumentParser) -> None:
    """Add the options for payload, version and where a patch starts from."""
    parser.add_argument(
        "-v", "--fw-version", required=True, metavar="VERSION", help="version after the update"
    )
    parser.add_argument(
        "-p",
        "--payload",
        metavar="FILE",
        help="the payload; for encrypted formats the plain one (default: payload.file-path)",
    )
    parser.add_argument(
        "--format", choices=_FORMATS, help="what the payload is (default: payload.format)"
    )
    parser.add_argument(
        "--url", metavar="URL", help="where devices download it (default: payload.url)"
    )
    parser.add_argument(
        "--component", metavar="NAME", help="what it updates (default: the project's component)"
    )
    parser.add_argument("--current-fw", type=Path, metavar="OLD", help="image a patch starts from")
    parser.add_argument("--current-version", metavar="VERSION", help="version of that image")
    parser.add_argument(
        "--encrypted-digest", metavar="HEX", help="SHA-256 of the encrypted payload"
    )
    parser.add_argument("--encrypted-size", metavar="BYTES", help="size of the encrypted payload")


def manifest_step(args: argparse.Namespace, *, signed_here: bool = True) -> ManifestStep:
    """Return the step for the manifest that the options describe.

    Args:
        args: parsed options, of :func:`add_payload` and those for the configuration.
        signed_here: whether the key is needed.
    """
    from fotabuild.formats.firmware_version import FirmwareVersion
    from fotabuild.plan.make import StepMaker
    from fotabuild.steps.payload_manifest import Precursor

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
    return StepMaker(config).manifest(
        Path(payload.file_path),
        payload.format,
        FirmwareVersion.parse(args.fw_version),
        args.output,
        precursor=precursor,
        signed_here=signed_here,
    )
