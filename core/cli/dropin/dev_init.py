"""``manifest-dev-tool init``: a developer's key, certificate, ids and C source.

Running it again keeps key, certificate and ids.
"""

from __future__ import annotations

import argparse
import os
import uuid
from pathlib import Path

import msgspec

from fotabuild.cli.dropin.dev_credentials import find_credentials
from fotabuild.cli.dropin.log import Log
from fotabuild.config.dev_cache import DevCache, DevConfig, encode_yaml, identity_of
from fotabuild.config.yaml_reader import read_yaml
from fotabuild.device.profile import DeviceProfile
from fotabuild.device.resources_acceptance import accept_resources
from fotabuild.errors import ConfigError, UsageError, in_file
from fotabuild.files.names import refuse_overwrite
from fotabuild.files.reading import read_file
from fotabuild.files.writing import OutputSet
from fotabuild.formats.identity import Identity
from fotabuild.formats.update_resources import UpdateResources
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.certificate import public_key_of

DEFAULT_HOST = "https://api.us-east-1.mbedcloud.com"
_PRESETS = "~/.izuma-dev-presets.yaml"
_README = b"""\
Files in this directory are made by "manifest-dev-tool init" and are not meant to be edited.
dev.key.pem and dev.cloud_cfg.yaml are secrets: keep them out of version control.
"""


def init(args: argparse.Namespace, log: Log) -> None:
    """Make or complete the cache folder and write the C source."""
    if args.signing_tool is not None and (args.key is None or args.update_certificate is None):
        raise UsageError("--signing-tool needs --key and --update-certificate")
    if (args.key is None) != (args.update_certificate is None):
        raise UsageError("--key and --update-certificate go together")
    cache = DevCache(args.cache_dir)
    known = cache.read_config() if cache.config.exists() else None
    with in_file(cache.config):
        identity = _identity(args, None if args.replace_key else known)
    for path in cache.open_to_others():
        _close(path, log)
    outputs = OutputSet()
    credentials = find_credentials(args, cache, known, outputs, log)
    refuse_overwrite(args.generated_resource, [*cache.files, *credentials.used, _presets()])
    config = msgspec.structs.replace(
        credentials.config, vendor_id=identity.vendor_id.hex, class_id=identity.class_id.hex
    )
    certificate = credentials.certificate
    resources = UpdateResources(identity, certificate, public_key_of(certificate))
    with in_file(args.generated_resource):
        accept_resources(resources.encode(), resources, DeviceProfile()).require()
    outputs.add(args.generated_resource, resources.encode(), keep_unchanged=True)
    outputs.add(cache.config, encode_yaml(msgspec.to_builtins(config)), keep_unchanged=True)
    outputs.add(cache.readme, _README, keep_unchanged=True)
    cloud = _cloud(args, log)
    if cloud is not None:
        outputs.add(cache.cloud, encode_yaml(cloud), private=True)
    if known is not None and credentials.replaced:
        credentials.replaced.append(cache.config)  # With the ids of the old devices.
    credentials.keep_replaced(log)
    outputs.commit()
    log.info(f"generated developer config file {cache.config}")
    log.info(f"generated update source {args.generated_resource}")
    if cloud is not None:
        log.info(f"generated service config file {cache.cloud}")
    elif not cache.cloud.exists():
        log.warning(
            "Access key not provided, so assisted campaign management will not be available"
        )


def _close(path: Path, log: Log) -> None:
    try:
        path.chmod(0o600)
    except OSError as error:
        log.warning(f"{path}: others can read it, and that cannot be changed: {error.strerror}")
    else:
        log.warning(f"{path}: others could read it; now only its owner can")


def _identity(args: argparse.Namespace, known: DevConfig | None) -> Identity:
    old = None if known is None else identity_of(known)
    return Identity(
        args.vendor_id or (old.vendor_id if old else uuid.uuid4()),
        args.class_id or (old.class_id if old else uuid.uuid4()),
    )


def _presets() -> Path:
    """Return the file of presets; not ``Path.home()``, which fails where there is no home."""
    return Path(os.path.expanduser(_PRESETS))  # noqa: PTH111


def _cloud(args: argparse.Namespace, log: Log) -> dict[str, str] | None:
    """Return access key and host of the service, None without an access key."""
    if args.gw_preset is None:
        if args.access_key is None:
            return None
        return {"access_key": args.access_key, "host": args.api_url or DEFAULT_HOST}
    path = _presets()
    with in_file(path):
        presets = read_yaml(
            read_file(path, READ_LIMITS.config, "presets"),
            if_empty="write a name, and below it host and access_key",
        ).values
        preset = presets.get(args.gw_preset)
        if preset is None:
            raise UsageError("there is no such preset", field=args.gw_preset)
        if not isinstance(preset, dict) or set(preset) != {"host", "access_key"}:
            raise ConfigError("this preset has not just host and access_key", field=args.gw_preset)
    if args.api_url is not None:
        log.warning("--api-url is not used: the address is that of the preset")
    if args.access_key is not None:
        log.warning("--access-key is used in place of the preset's, at the preset's address")
    access_key = args.access_key or str(preset["access_key"])
    return {"access_key": access_key, "host": str(preset["host"])}
