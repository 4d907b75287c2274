"""What ``manifest-dev-tool`` writes into manifests: options and cache folder as settings."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

import msgspec

from fotabuild.cli.dropin.environment import passphrase_source
from fotabuild.cli.dropin.log import Log
from fotabuild.cli.dropin.settings import to_config
from fotabuild.config.dev_cache import DevCache, DevConfig, identity_of
from fotabuild.config.input_paths import InputPaths
from fotabuild.config.loader import LoadedConfig
from fotabuild.config.manifest_input import ManifestInput
from fotabuild.config.messages import explain
from fotabuild.errors import ConfigError, FileError, in_file
from fotabuild.formats.patch_stream import MAGIC
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.signing.key_file import open_to_others

#: The options that give values of the input.
_OPTIONS = {
    "payload.url": "--payload-url",
    "payload.encrypted.digest": "--encrypted-digest",
    "payload.encrypted.size": "--encrypted-size",
    "component": "--component-name",
    "priority": "--priority",
}


def format_of(payload: Path, *, encrypted: bool, combined: bool) -> PayloadFormat:
    """Return what a payload is, by its content: a YAML file beside it may be anybody's.

    Raises:
        ConfigError: a patch, which is neither encrypted nor combined.
    """
    if _is_patch(payload):
        if encrypted or combined:
            raise ConfigError(
                "this payload is a delta patch, which is neither encrypted nor a combined image",
                file=payload,
            )
        return PayloadFormat.ARM_PATCH_STREAM
    if combined:
        return PayloadFormat.ENCRYPTED_COMBINED if encrypted else PayloadFormat.COMBINED
    return PayloadFormat.ENCRYPTED_RAW if encrypted else PayloadFormat.RAW_BINARY


def _is_patch(payload: Path) -> bool:
    try:
        with payload.open("rb") as stream:
            return stream.read(len(MAGIC)) == MAGIC
    except OSError as error:
        raise FileError(f"cannot read the payload: {error.strerror}", file=payload) from None


def input_v3(
    args: argparse.Namespace,
    payload_format: PayloadFormat,
    url: str,
    encrypted: tuple[str, int] | None = None,
) -> dict[str, Any]:
    """Return the input of a v3 manifest.

    Args:
        args: the options.
        payload_format: what the payload is.
        url: where devices download it.
        encrypted: digest, in hexadecimal, and size of an encrypted payload.
    """
    payload: dict[str, Any] = {
        "url": url,
        "file-path": str(args.payload_path),
        "format": payload_format.value,
    }
    if encrypted is not None:
        payload["encrypted"] = dict(zip(("digest", "size"), encrypted, strict=True))
    return {
        "priority": args.priority,
        "component": args.component_name,
        "sign-image": args.sign_image,
        "payload": payload,
    }


def input_v1(args: argparse.Namespace, url: str) -> dict[str, Any]:
    """Return the input of a v1 manifest; arguments as for :func:`input_v3`."""
    kind = format_of(args.payload_path, encrypted=False, combined=False)
    payload = {"url": url, "file-path": str(args.payload_path), "format": kind.value}
    return {"payload": payload} | ({} if args.priority is None else {"priority": args.priority})


def known_config(cache: DevCache) -> DevConfig:
    """Read what ``init`` wrote.

    Raises:
        FileError: it was not called.
        ConfigError: malformed.
    """
    if not cache.config.exists():
        raise FileError(
            "there is no developer configuration", file=cache.config, remedy="run init first"
        )
    known = cache.read_config()
    with in_file(cache.config):
        identity_of(known)
    return known


def to_settings(
    args: argparse.Namespace, cache: DevCache, values: dict[str, Any], log: Log
) -> LoadedConfig:
    """Return the settings for one manifest.

    Args:
        args: the options.
        cache: the cache folder.
        values: the input.
        log: told what is worth knowing.
    """
    known = known_config(cache)
    if open_to_others(path := cache.cloud):
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
