"""Every v3 manifest of the real tool: read, written again, verified."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from fotabuild.errors import DerError
from fotabuild.formats.manifest_v3 import (
    PayloadFormat,
    SignedManifestV3,
    decode_signed,
    encode_manifest,
    encode_signed,
)
from fotabuild.signing.verify import verify, verify_digest

from ..conftest import VECTORS
from .golden import MANIFESTS, PUBLIC_KEY, firmware, golden_name, signed_bytes_of, version_of

manifests = pytest.mark.parametrize("path", MANIFESTS, ids=golden_name)
SIGNED_IMAGES = [
    path for path in MANIFESTS if "signed" in path.name or "vendor200" in golden_name(path)
]


def read(path: Path) -> SignedManifestV3:
    return decode_signed(path.read_bytes())


def test_golden_manifests_are_there() -> None:
    assert len(MANIFESTS) == 26
    assert len(SIGNED_IMAGES) == 6


@manifests
def test_decodes_to_the_golden_signed_part(path: Path) -> None:
    assert read(path).signed_bytes == signed_bytes_of(path)


@manifests
def test_encodes_again_byte_for_byte(path: Path) -> None:
    signed = read(path)
    assert encode_manifest(signed.manifest) == signed_bytes_of(path)
    assert encode_signed(signed.manifest, signed.signature) == path.read_bytes()


@manifests
def test_signature_verifies(path: Path) -> None:
    signed = read(path)
    verify(PUBLIC_KEY.read_bytes(), signed_bytes_of(path), signed.signature)


@pytest.mark.parametrize("path", SIGNED_IMAGES, ids=golden_name)
def test_image_signature_verifies_over_the_installed_digest(path: Path) -> None:
    manifest = read(path).manifest
    package = (VECTORS / "package" / "two.tar").read_bytes()
    image = package if "combined" in path.name else firmware("fw-1.1.0")
    digest = hashlib.sha256(image).digest()
    verify_digest(PUBLIC_KEY.read_bytes(), digest, manifest.installed_signature)
    assert manifest.image_digest == digest
    assert manifest.image_size == len(image)


@pytest.mark.parametrize(
    "path", [path for path in MANIFESTS if path not in SIGNED_IMAGES], ids=golden_name
)
def test_unsigned_image_has_an_empty_signature(path: Path) -> None:
    assert read(path).manifest.installed_signature == b""


@manifests
def test_fields_are_those_of_the_command_that_made_it(path: Path) -> None:
    name, manifest = golden_name(path), read(path).manifest
    assert manifest.payload_version == version_of(name)
    prefixes = {"patch": "arm-patch-stream", "raw": "raw-binary", "combined": "combined"}
    expected = next(
        (value for prefix, value in prefixes.items() if name.startswith(prefix)),
        "-".join(name.split("-")[:2]),
    )
    assert manifest.payload_format is PayloadFormat(expected)


def test_delivered_manifest_carries_the_key_of_its_payload() -> None:
    delivered = (VECTORS / "v3" / "encrypted-raw.delivered.bin").read_bytes()
    key = (VECTORS / "payload" / "TEST-ONLY-aes128.key.bin").read_bytes()
    signed = decode_signed(delivered)
    assert signed.encryption_key == key
    plain = (VECTORS / "v3" / "encrypted-raw.manifest.bin").read_bytes()
    assert signed.manifest == decode_signed(plain).manifest
    assert decode_signed(plain).encryption_key is None


@manifests
def test_no_single_byte_can_be_lost_or_added(path: Path) -> None:
    """The outer SEQUENCE says how long it is: every cut and every surplus is found."""
    data = path.read_bytes()
    for damaged in (data[:-1], data[1:], data[: len(data) // 2], data + b"\0", b"\0" + data, b""):
        with pytest.raises(DerError):
            decode_signed(damaged)
