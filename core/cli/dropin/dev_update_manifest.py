"""The manifests of ``manifest-dev-tool update`` and ``update-v1``, for a stored payload."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Protocol

from fotabuild.cli.dropin.create import create_v1, create_v3
from fotabuild.cli.dropin.dev_create import save_version, version_after
from fotabuild.cli.dropin.dev_manifest import format_of, input_v1, input_v3, to_settings
from fotabuild.cli.dropin.log import Log
from fotabuild.cli.dropin.manifest_tool import v1_number
from fotabuild.config.dev_cache import DevCache
from fotabuild.errors import ServiceError
from fotabuild.files.reading import read_file
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.limits import READ_LIMITS
from fotabuild.publish.updates import Stored


class ManifestMaker(Protocol):
    """Makes the manifest of one update."""

    def make(self, stored: Stored, log: Log) -> bytes:
        """Return the manifest of a payload as it is stored."""
        ...

    def keep_version(self) -> None:
        """Note that a campaign may bring the version of the last manifest to devices."""
        ...


class MakerV3:
    """Makes v3 manifests.

    Args:
        args: the options.
        cache: the cache folder.

    Raises:
        ConfigError: a delta patch is to be encrypted, or is called a combined image.
    """

    def __init__(self, args: argparse.Namespace, cache: DevCache) -> None:
        self._args = args
        self._cache = cache
        self._format = format_of(
            args.payload_path, encrypted=args.encrypt_payload, combined=args.combined_image
        )
        self._version: FirmwareVersion | None = None

    def make(self, stored: Stored, log: Log) -> bytes:
        """Return the manifest; its version is the one after the last, if none is given."""
        version = self._version = version_after(self._args, self._cache, log)
        url = stored.short_url if self._args.use_short_url else stored.url
        if not url:
            raise ServiceError("the service gave no short URL", remedy="leave -u away")
        encrypted = None
        if self._format.encrypted:
            if stored.encrypted_digest is None or stored.encrypted_size is None:
                raise ServiceError("the service did not encrypt the payload")
            encrypted = (stored.encrypted_digest.hex(), stored.encrypted_size)
        values = input_v3(self._args, self._format, url, encrypted)
        settings = to_settings(self._args, self._cache, values, log)
        return _written(
            lambda path: create_v3(settings, version, str(path), self._cache.files, log)
        )

    def keep_version(self) -> None:
        """Save the version: the next one counts on from it."""
        if self._version is not None:
            save_version(self._cache, self._args.component_name, self._version)


class MakerV1:
    """Makes v1 manifests; arguments as for :class:`MakerV3`."""

    def __init__(self, args: argparse.Namespace, cache: DevCache) -> None:
        self._args = args
        self._cache = cache
        self._number = v1_number(args)

    def make(self, stored: Stored, log: Log) -> bytes:
        """Return the manifest."""
        log.info(f"FW version: {self._number}")
        settings = to_settings(self._args, self._cache, input_v1(self._args, stored.url), log)
        return _written(
            lambda path: create_v1(settings, self._number, str(path), self._cache.files, log)
        )

    def keep_version(self) -> None:
        """Do nothing: these versions are not counted."""


def _written(write: Callable[[Path], None]) -> bytes:
    with TemporaryDirectory(prefix="fotabuild-") as folder:
        path = Path(folder, "manifest")
        write(path)
        return read_file(path, READ_LIMITS.manifest, "manifest")
