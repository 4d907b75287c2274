"""``manifest-dev-tool``: init, create, create-v1, update, update-v1."""

from __future__ import annotations

import argparse
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

from fotabuild.cli.dropin.log import Log
from fotabuild.cli.dropin.manifest_tool import add_v1_version
from fotabuild.cli.dropin.program import (
    add_version,
    checked,
    commands,
    existing_file,
    integer,
    run_program,
)
from fotabuild.config.dev_cache import DEFAULT_CACHE
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.identity import parse_uuid


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="manifest-dev-tool", description="Update a developer's own devices."
    )
    add_version(parser)
    actions = commands(parser)
    _add_init(actions.add_parser("init", help="make key, certificate, ids and the C source"))
    create = actions.add_parser("create", help="create a manifest")
    _add_payload(create)
    _add_v3(create)
    create.add_argument("--encrypted-digest", help="SHA-256 of the encrypted payload")
    create.add_argument("--encrypted-size", type=integer(1), help="its size in bytes")
    create.set_defaults(run=_create)
    create_v1 = actions.add_parser("create-v1", help="create a manifest for older update clients")
    _add_payload(create_v1)
    _add_v1(create_v1)
    create_v1.set_defaults(run=_create_v1)
    update = actions.add_parser("update", help="upload payload and manifest, and run a campaign")
    _add_file(update)
    _add_v3(update)
    update.add_argument(
        "-e", "--encrypt-payload", action="store_true", help="have the service encrypt the payload"
    )
    update.add_argument(
        "-u", "--use-short-url", action="store_true", help="put the service's short URL into it"
    )
    _add_campaign(update)
    update.set_defaults(run=_update)
    update_v1 = actions.add_parser("update-v1", help="the same for older update clients")
    _add_file(update_v1)
    _add_v1(update_v1)
    _add_campaign(update_v1)
    update_v1.set_defaults(run=_update_v1)
    return parser


def entry_point(argv: Sequence[str] | None = None) -> int:
    """Run the program; ``argv`` does not hold its name."""
    return run_program(make_parser(), argv, logging.INFO)


def _add_cache(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--cache-dir",
        type=Path,
        default=Path(DEFAULT_CACHE),
        help="state of this tool (%(default)s)",
    )


def _add_init(parser: argparse.ArgumentParser) -> None:
    _add_cache(parser)
    parser.add_argument(
        "-g",
        "--generated-resource",
        type=Path,
        default=Path("update_default_resources.c"),
        help="the C source (%(default)s)",
    )
    parser.add_argument(
        "--vendor-id",
        type=checked(parse_uuid),
        help="vendor UUID (default: the last one, or random)",
    )
    parser.add_argument(
        "--class-id", type=checked(parse_uuid), help="class UUID (default: the last one, or random)"
    )
    parser.add_argument("--key", help="private key, PEM; or what the signing tool calls it")
    parser.add_argument("--update-certificate", type=existing_file, help="certificate of that key")
    parser.add_argument("-s", "--signing-tool", help="program that signs")
    parser.add_argument(
        "--replace-key",
        action="store_true",
        help="replace key and certificate that are here, which are kept under other names; "
        "devices that hold the old certificate refuse what the new key signs",
    )
    parser.add_argument("-p", "--gw-preset", help="name in ~/.izuma-dev-presets.yaml")
    parser.add_argument(
        "-a", "--access-key", "--api-key", help="access key; safer in a preset: others see it here"
    )
    parser.add_argument("-u", "--api-url", help="address of the service, without a preset")
    parser.set_defaults(run=_init)


def _add_file(parser: argparse.ArgumentParser) -> None:
    _add_cache(parser)
    parser.add_argument("-p", "--payload-path", type=existing_file, required=True, help="the file")
    parser.add_argument("-d", "--vendor-data", type=existing_file, help="custom data to carry")


def _add_payload(parser: argparse.ArgumentParser) -> None:
    _add_file(parser)
    parser.add_argument("-u", "--payload-url", required=True, help="where devices download it")
    parser.add_argument("-o", "--output", required=True, help="the manifest, - for stdout")


def _add_v3(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-v",
        "--fw-version",
        type=checked(FirmwareVersion.parse),
        help="version after the update (default: the one after the last)",
    )
    parser.add_argument(
        "--component-name", metavar="NAME", default="MAIN", help="what it updates (%(default)s)"
    )
    parser.add_argument("-m", "--sign-image", action="store_true", help="also sign the image")
    parser.add_argument(
        "-r", "--priority", type=integer(0), default=0, help="update priority (%(default)s)"
    )
    parser.add_argument(
        "--combined-image", action="store_true", help="the payload is a combined package"
    )


def _add_v1(parser: argparse.ArgumentParser) -> None:
    add_v1_version(parser)
    parser.add_argument(
        "-r", "--priority", type=integer(0), help="update priority; left out by default"
    )


def _add_campaign(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("-i", "--device-id", help="this device only, of the vendor and class")
    parser.add_argument(
        "-s", "--start-campaign", action="store_true", help="start it (default: leave it in draft)"
    )
    parser.add_argument(
        "-w",
        "--wait-for-completion",
        action="store_true",
        help="start it, wait until it is over, and remove everything",
    )
    parser.add_argument(
        "-t",
        "--timeout",
        type=integer(0, 10**9),
        default=0,
        metavar="SECONDS",
        help="wait no longer than this from the start (default: as long as it takes)",
    )
    parser.add_argument(
        "-n", "--no-cleanup", action="store_true", help="remove nothing after the wait"
    )


def _init(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.cli.dropin.dev_init import init

    init(args, log)


def _create(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.cli.dropin.dev_create import create

    create(args, log)


def _create_v1(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.cli.dropin.dev_create import create_for_old_clients

    create_for_old_clients(args, log)


def _update(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.cli.dropin.dev_update import update

    update(args, log)


def _update_v1(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.cli.dropin.dev_update import update_old_clients

    update_old_clients(args, log)


if __name__ == "__main__":
    sys.exit(entry_point())
