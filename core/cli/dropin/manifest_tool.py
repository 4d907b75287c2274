"""``manifest-tool``: create, create-v1, parse, schema, public-key."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.dropin import parse
from fotabuild.cli.dropin.environment import passphrase_source
from fotabuild.cli.dropin.log import Log
from fotabuild.cli.dropin.program import (
    STDIN,
    add_version,
    checked,
    commands,
    existing_file,
    integer,
    readable_file,
    run_program,
)
from fotabuild.cli.dropin.streams import print_text, read_stdin
from fotabuild.errors import ConfigError
from fotabuild.formats.firmware_version import FirmwareVersion

if TYPE_CHECKING:
    from fotabuild.config.input_paths import InputPaths
    from fotabuild.config.manifest_input import ManifestInput

_TIMESTAMP_MAX = 2**63 - 1
_STDIN_FILE = Path("/dev/stdin")


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="manifest-tool", description="Create, read and verify update manifests."
    )
    add_version(parser)
    parser.add_argument("-q", "--quiet", action="store_true", help="log errors only")
    actions = commands(parser)
    create = actions.add_parser("create", help="create a manifest")
    _add_create(create)
    create.add_argument(
        "-v",
        "--fw-version",
        type=checked(FirmwareVersion.parse),
        required=True,
        help="version after the update, 0.0.1 to 999.999.999",
    )
    create.set_defaults(run=_create)
    create_v1 = actions.add_parser("create-v1", help="create a manifest for older update clients")
    _add_create(create_v1)
    create_v1.add_argument(
        "--update-certificate", type=existing_file, required=True, help="X.509, DER or PEM"
    )
    add_v1_version(create_v1)
    create_v1.set_defaults(run=_create_v1)
    parse.add_options(actions.add_parser("parse", help="read and verify a manifest"))
    schema = actions.add_parser("schema", help="print the JSON schema of the configuration")
    schema.set_defaults(run=_schema)
    public_key = actions.add_parser("public-key", help="write the public key of a private key")
    public_key.add_argument("private_key", type=readable_file, help="private key, PEM")
    public_key.add_argument(
        "-o", "--out", type=Path, required=True, help="65 bytes, an uncompressed point"
    )
    public_key.set_defaults(run=_public_key)
    return parser


def add_v1_version(parser: argparse.ArgumentParser) -> None:
    """Add the options for the version of v1 manifests."""
    version = parser.add_mutually_exclusive_group()
    version.add_argument(
        "-v",
        "--fw-version",
        type=integer(1, _TIMESTAMP_MAX),
        help="version after the update (default: SOURCE_DATE_EPOCH, or seconds since 1970)",
    )
    version.add_argument(
        "--fw-migrate-ver",
        type=checked(FirmwareVersion.parse),
        help="semantic version after the update, newer than every number",
    )


def v1_number(args: argparse.Namespace) -> int:
    """Return the version of a v1 manifest as a number.

    Raises:
        UsageError: the date of the build is 0, which is no version.
    """
    from fotabuild.cli.commands.manifest_v1 import build_number

    if args.fw_migrate_ver is not None:
        return int(args.fw_migrate_ver.to_device_number())
    return build_number() if args.fw_version is None else int(args.fw_version)


def entry_point(argv: Sequence[str] | None = None) -> int:
    """Run the program; ``argv`` does not hold its name."""
    return run_program(make_parser(), argv)


def _add_create(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-c",
        "--config",
        metavar="YAML",
        type=_config_file,
        required=True,
        help="configuration, - for stdin",
    )
    parser.add_argument(
        "-k",
        "--key",
        required=True,
        help="private key, PEM; what the signing tool calls it where the configuration names one",
    )
    parser.add_argument("-o", "--output", required=True, help="the manifest, - for stdout")


def _config_file(text: str) -> Path | None:
    """Return the file of a configuration, None for stdin; an option type."""
    return None if text == STDIN else readable_file(text)


def _create(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.cli.dropin.create import create_v3
    from fotabuild.cli.dropin.settings import to_config

    values, paths = _read(args.config, log)
    if values.priority is None:
        raise ConfigError(
            "this key is required and missing", field="priority", file=args.config or STDIN
        )
    config = to_config(values, paths, log, args.key)
    create_v3(config, args.fw_version, args.output, [args.config or _STDIN_FILE], log)


def _create_v1(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.cli.dropin.create import create_v1
    from fotabuild.cli.dropin.settings import to_config

    values, paths = _read(args.config, log)
    config = to_config(values, paths, log, args.key, args.update_certificate)
    create_v1(config, v1_number(args), args.output, [args.config or _STDIN_FILE], log)


def _read(path: Path | None, log: Log) -> tuple[ManifestInput, InputPaths]:
    from fotabuild.config.input_paths import InputPaths
    from fotabuild.config.manifest_input import read_manifest_input
    from fotabuild.files.reading import read_file
    from fotabuild.limits import READ_LIMITS

    if path is None:
        data = read_stdin(READ_LIMITS.config + 1)
    else:
        data = read_file(path, READ_LIMITS.config, "configuration", pipes=True)
    # Beside stdin or a pipe there is nothing.
    folder = path.parent if path is not None and path.is_file() else Path()
    return read_manifest_input(data, path), InputPaths(folder, log.warning)


def _schema(_: argparse.Namespace, __: Log) -> None:
    import msgspec

    from fotabuild.config.manifest_input import ManifestInput

    print_text(json.dumps(msgspec.json.schema(ManifestInput), indent=2), sys.stdout)


def _public_key(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.files.writing import write_file
    from fotabuild.signing.pem import PemSigner

    key = PemSigner.open(args.private_key, passphrase_source()).public_key()
    write_file(args.out, key, inputs=[args.private_key])
    log.debug(f"wrote {args.out}")


if __name__ == "__main__":
    sys.exit(entry_point())
