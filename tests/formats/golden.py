"""The golden files of manifest-tool 2.6.2 and how they were made."""

from __future__ import annotations

import re
from pathlib import Path

from ..conftest import VECTORS

KEY = VECTORS / "keys" / "TEST-ONLY-update.key.pem"
PKCS8_KEY = VECTORS / "keys" / "TEST-ONLY-update.key.pkcs8.pem"
OTHER_KEY = VECTORS / "keys" / "TEST-ONLY-other.key.pem"
CERTIFICATE = VECTORS / "keys" / "TEST-ONLY-update.cert.der"
PUBLIC_KEY = VECTORS / "keys" / "TEST-ONLY-update.pub.bin"
RESOURCES = VECTORS / "dev-tool" / "update_default_resources.c"

MANIFESTS = tuple(sorted((VECTORS / "v3").glob("*.manifest.bin")))
DELTAS = tuple(sorted((VECTORS / "delta").glob("*.bin")))
SIDECARS = tuple(sorted((VECTORS / "delta").glob("*.yaml")))
PACKAGES = tuple(sorted((VECTORS / "package").glob("*.tar")))

_VERSIONS = {"raw-version-min": "0.0.1", "raw-version-max": "999.999.999"}


def golden_name(path: Path) -> str:
    """The name of a golden file without its suffixes."""
    return path.name.partition(".")[0]


def version_of(name: str) -> str:
    """The firmware version that a golden v3 manifest was made with."""
    return _VERSIONS.get(name, "2.0.0" if "combined" in name else "1.1.0")


def signed_bytes_of(manifest: Path) -> bytes:
    """The golden signed part of a golden manifest; the JSON one shares that of ``raw``."""
    name = golden_name(manifest)
    return manifest.with_name(f"{'raw' if name == 'raw-json' else name}.tbs.der").read_bytes()


def firmware(name: str) -> bytes:
    """A golden firmware image."""
    return (VECTORS / "firmware" / f"{name}.bin").read_bytes()


def delta_images(patch: Path) -> tuple[bytes, bytes, int]:
    """Old image, new image and block size of a golden patch, all named by its file name."""
    match = re.fullmatch(r"(.+)_to_(.+)_b(\d+)\.bin", patch.name)
    assert match is not None
    return firmware(match[1]), firmware(match[2]), int(match[3])
