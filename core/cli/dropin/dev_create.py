"""``manifest-dev-tool create`` and ``create-v1``: a manifest without an input file."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from fotabuild.cli.dropin.create import create_v1, create_v3
from fotabuild.cli.dropin.environment import passphrase_source
from fotabuild.cli.dropin.log import Log
from fotabuild.cli.dropin.manifest_tool import v1_number
from fotabuild.cli.dropin.settings import to_config
from fotabuild.config.dev_cache import DevCache, encode_yaml, identity_of, next_version
from fotabuild.config.input_paths import InputPaths
from fotabuild.config.loader import LoadedConfig
from fotabuild.config.manifest_input import ManifestInput
from fotabuild.config.messages import explain
from fotabuild.errors import ConfigError, FileError, UsageError, in_file
from fotabuild.files import alone_in, write_file
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.patch_stream import MAGIC
from fotabuild.formats.payload_format import PayloadFormat

_FIRST = FirmwareVersion(0, 0, 1)
#: The options that give values of the input.
_OPTIONS = {
    "payload.url": "--payload-url",
    "payload.encrypted.digest": "--encrypted-digest",
    "payload.encrypted.size": "--encrypted-size",
    "component": "--component-name",
    "priority": "--priority",
}


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
    versions = cache.read_versions()
    last = versions.get(args.component_name)
    version = args.fw_version or next_version(last or _FIRST)
    log.info(f"FW version: {version}")
    if last is not None and version <= last:
        log.warning(f"{version} is not newer than {last}, the last version made here")
    payload_format = _format(args)
    values: dict[str, Any] = {
        "priority": args.priority,
        "component": args.component_name,
        "sign-image": args.sign_image,
        "payload": {
            "url": args.payload_url,
            "file-path": str(args.payload_path),
            "format": payload_format.value,
        },
    }
    if payload_format.encrypted:
        values["payload"]["encrypted"] = {
            "digest": args.encrypted_digest,
            "size": args.encrypted_size,
        }
    create_v3(_config(args, cache, values, log), version, args.output, cache.files, log)
    # Only now: a run that fails does not use up a number.
    saved = {**versions, args.component_name: version}
    write_file(cache.versions, encode_yaml({name: str(number) for name, number in saved.items()}))


def create_for_old_clients(args: argparse.Namespace, log: Log) -> None:
    """Make a v1 manifest."""
    number = v1_number(args)
    log.info(f"FW version: {number}")
    patch = _is_patch(args.payload_path)
    kind = PayloadFormat.ARM_PATCH_STREAM if patch else PayloadFormat.RAW_BINARY
    payload = {"url": args.payload_url, "file-path": str(args.payload_path), "format": kind.value}
    values: dict[str, Any] = {"payload": payload}
    if args.priority is not None:
        values["priority"] = args.priority
    cache = DevCache(args.cache_dir)
    create_v1(_config(args, cache, values, log), number, args.output, cache.files, log)
    log.info("Created manifest in v1 schema")


def _format(args: argparse.Namespace) -> PayloadFormat:
    """Return what the payload is, by its content: a YAML file beside it may be anybody's."""
    encrypted = args.encrypted_digest is not None
    if _is_patch(args.payload_path):
        if encrypted or args.combined_image:
            raise ConfigError(
                "this payload is a delta patch, which is neither encrypted nor a combined image",
                file=args.payload_path,
            )
        return PayloadFormat.ARM_PATCH_STREAM
    if args.combined_image:
        return PayloadFormat.ENCRYPTED_COMBINED if encrypted else PayloadFormat.COMBINED
    return PayloadFormat.ENCRYPTED_RAW if encrypted else PayloadFormat.RAW_BINARY


def _is_patch(payload: Path) -> bool:
    try:
        with payload.open("rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise FileError(f"cannot read the payload: {error.strerror}", file=payload) from None


def _config(
    args: argparse.Namespace, cache: DevCache, values: dict[str, Any], log: Log
) -> LoadedConfig:
    if not cache.config.exists():
        raise FileError(
            "there is no developer configuration", file=cache.config, remedy="run init first"
        )
    known = cache.read_config()
    with in_file(cache.config):
        identity_of(known)
    for path in cache.open_to_others():
        log.warning(f"{path}: others can read it; run init again, or chmod 600 {path}")
    vendor: dict[str, Any] = {"vendor-id": known.vendor_id}
    if args.vendor_data is not None:
        vendor["custom-data-path"] = str(args.vendor_data)
    values = {**values, "vendor": vendor, "device": {"class-id": known.class_id}}
    if known.signing_tool is not None:
        values["signing-tool"] = known.signing_tool
        key = known.key_file
    else:
        key = str(cache.key_file(known, passphrase_source()))
    paths = InputPaths(Path(), log.warning)
    try:
        parsed = msgspec.convert(values, ManifestInput)
        return to_config(parsed, paths, log, key, cache.certificate_file(known))
    except msgspec.ValidationError as error:
        wrong = explain(error, None, {})
    except ConfigError as error:
        wrong = error
    # Nobody wrote these names: the options stand for them.
    wrong.field = _OPTIONS.get(wrong.field or "", wrong.field)
    raise wrong from None
