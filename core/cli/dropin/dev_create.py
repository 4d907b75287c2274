"""``manifest-dev-tool create`` and ``create-v1``: a manifest without an input file."""

from __future__ import annotations

import argparse

from fotabuild.cli.dropin.create import create_v1, create_v3
from fotabuild.cli.dropin.dev_manifest import format_of, input_v1, input_v3, to_settings
from fotabuild.cli.dropin.log import Log
from fotabuild.cli.dropin.manifest_tool import v1_number
from fotabuild.config.dev_cache import DevCache, encode_yaml, next_version
from fotabuild.errors import UsageError
from fotabuild.files.folders import alone_in
from fotabuild.files.writing import write_file
from fotabuild.formats.firmware_version import FirmwareVersion

_FIRST = FirmwareVersion(0, 0, 1)


def create(args: argparse.Namespace, log: Log) -> None:
    """Make a v3 manifest, then save its version."""
    if (args.encrypted_digest is None) != (args.encrypted_size is None):
        raise UsageError("--encrypted-digest and --encrypted-size go together")
    cache = DevCache(args.cache_dir)
    # From reading the last version to writing the next.
    with alone_in(cache.folder):
        _create(args, cache, log)
    log.info("Created manifest in v3 schema")


def _create(args: argparse.Namespace, cache: DevCache, log: Log) -> None:
    version = version_after(args, cache, log)
    given = args.encrypted_digest is not None
    kind = format_of(args.payload_path, encrypted=given, combined=args.combined_image)
    encrypted = (args.encrypted_digest, args.encrypted_size) if given else None
    values = input_v3(args, kind, args.payload_url, encrypted)
    create_v3(to_settings(args, cache, values, log), version, args.output, cache.files, log)
    # Only now: a run that fails does not use up a number.
    save_version(cache, args.component_name, version)


def version_after(args: argparse.Namespace, cache: DevCache, log: Log) -> FirmwareVersion:
    """Return the version after the update: as given, or the one after the last."""
    last = cache.read_versions().get(args.component_name)
    version: FirmwareVersion = args.fw_version or next_version(last or _FIRST)
    log.info(f"FW version: {version}")
    if last is not None and version <= last:
        log.warning(f"{version} is not newer than {last}, the last version made here")
    return version


def save_version(cache: DevCache, component: str, version: FirmwareVersion) -> None:
    """Make a version the last one of a component."""
    saved = {**cache.read_versions(), component: version}
    write_file(cache.versions, encode_yaml({name: str(number) for name, number in saved.items()}))


def create_for_old_clients(args: argparse.Namespace, log: Log) -> None:
    """Make a v1 manifest."""
    number = v1_number(args)
    log.info(f"FW version: {number}")
    cache = DevCache(args.cache_dir)
    config = to_settings(args, cache, input_v1(args, args.payload_url), log)
    create_v1(config, number, args.output, cache.files, log)
    log.info("Created manifest in v1 schema")
