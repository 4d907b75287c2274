"""``fotabuild manifest create-v1``: manifests for older update clients."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.artifacts import run_steps
from fotabuild.cli.options import Subparsers, add_config, add_dry_run, add_signing, read_config
from fotabuild.cli.output import Output
from fotabuild.errors import UsageError

if TYPE_CHECKING:
    from fotabuild.steps.manifest_v1 import ManifestV1Step

_FORMATS = ("raw-binary", "arm-patch-stream")
_NUMBER = re.compile(r"[0-9]{1,20}")
_NUMBER_MAX = 2**63 - 1


def register(verbs: Subparsers) -> None:
    """Add the verb."""
    parser = verbs.add_parser(
        "create-v1",
        help="describe and sign one payload for an older update client",
        description="Makes a signed v1 manifest and checks it as a device does before it is "
        "written: for update-client-hub or for the FOTA client as device.client says, for both "
        "where it says nothing. The certificate is needed, and the key must match it.",
    )
    add_payload_v1(parser)
    parser.add_argument(
        "-o", "--output", type=Path, required=True, metavar="MANIFEST", help="the manifest"
    )
    add_config(parser)
    add_signing(parser)
    add_dry_run(parser)
    parser.set_defaults(run=run)


def add_payload_v1(parser: argparse.ArgumentParser) -> None:
    """Add the options for version, payload and where a patch starts from."""
    version = parser.add_mutually_exclusive_group()
    version.add_argument(
        "-v",
        "--fw-version",
        metavar="NUMBER",
        help="version after the update (default: SOURCE_DATE_EPOCH, or seconds since 1970)",
    )
    version.add_argument(
        "--fw-migrate-ver",
        metavar="VERSION",
        help="semantic version after the update; devices find it newer than every number",
    )
    parser.add_argument(
        "-p", "--payload", metavar="FILE", help="the payload (default: payload.file-path)"
    )
    parser.add_argument(
        "--format", choices=_FORMATS, help="what the payload is (default: payload.format)"
    )
    parser.add_argument(
        "--url", metavar="URL", help="where devices download it (default: payload.url)"
    )
    parser.add_argument("--current-fw", type=Path, metavar="OLD", help="image a patch starts from")


def run(args: argparse.Namespace, output: Output) -> int:
    """Run the one step."""
    return run_steps(args, output, [manifest_v1_step(args)])


def manifest_v1_step(args: argparse.Namespace, *, signed_here: bool = True) -> ManifestV1Step:
    """Return the step for the manifest that the options describe.

    Args:
        args: parsed options, of :func:`add_payload_v1` and those for the configuration.
        signed_here: whether the key is needed.
    """
    from fotabuild.formats.firmware_version import FirmwareVersion
    from fotabuild.plan.make import StepMaker
    from fotabuild.steps.payload_manifest import Precursor

    config = read_config(
        args,
        payload__file_path=args.payload,
        payload__format=args.format,
        payload__url=args.url,
    )
    payload = config.project.payload
    if payload.file_path is None or payload.format is None:
        raise UsageError("no payload given", remedy="give --payload and --format")
    version = args.fw_migrate_ver and FirmwareVersion.parse(args.fw_migrate_ver)
    return StepMaker(config).manifest_v1(
        Path(payload.file_path),
        payload.format,
        version.to_device_number() if version else parse_number(args.fw_version),
        args.output,
        precursor=None if args.current_fw is None else Precursor(args.current_fw),
        version=version or None,
        signed_here=signed_here,
    )


def parse_number(text: str | None) -> int:
    """Return a v1 version: the given number, or else the time of the build.

    Raises:
        UsageError: no number from 1 to 2^63 - 1, or the time of the build is 0.
    """
    if text is None:
        return build_number()
    if not _NUMBER.fullmatch(text) or not 0 < int(text) <= _NUMBER_MAX:
        raise UsageError(
            f"the version must be a number from 1 to {_NUMBER_MAX}, not {text[:40]!r}",
            remedy="leave --fw-version out for the time of the build",
        )
    return int(text)


def build_number() -> int:
    """Return the time of the build as a version.

    Raises:
        UsageError: it is 0, which devices find older than any.
    """
    from fotabuild.files.dates import build_time

    number = build_time()
    if number == 0:
        raise UsageError(
            "SOURCE_DATE_EPOCH is 0, which is no version",
            remedy="give --fw-version, or a later date",
        )
    return number
