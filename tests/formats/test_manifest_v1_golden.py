"""Every v1 manifest of the real tool: read, written again, verified; and what is refused."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import pytest
from hypothesis import given

from fotabuild.errors import DerError, FormatError, ManifestError, VerificationError
from fotabuild.formats.manifest_schema import schema_of
from fotabuild.formats.manifest_v1 import (
    ManifestV1,
    SignedManifestV1,
    decode_signed,
    encode_resource,
    encode_signed,
)
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.signing.der_signature import der_to_raw, raw_to_der
from fotabuild.signing.verify import verify

from ..conftest import VECTORS
from .golden import CERTIFICATE, MANIFESTS, PUBLIC_KEY, golden_name
from .strategies import QUICK, manifests_v1, signatures

GOLDEN = tuple(sorted((VECTORS / "v1").glob("*.manifest.bin")))
every = pytest.mark.parametrize("path", GOLDEN, ids=golden_name)
DELTA = VECTORS / "v1" / "patch-prio-migrate.manifest.bin"
RAW = VECTORS / "v1" / "raw-prio.manifest.bin"


def read(path: Path) -> SignedManifestV1:
    return decode_signed(path.read_bytes())


def test_golden_manifests_are_there() -> None:
    assert len(GOLDEN) == 10
    assert {schema_of(path.read_bytes()) for path in GOLDEN} == {1}
    assert {schema_of(path.read_bytes()) for path in MANIFESTS} == {3}
    assert schema_of(CERTIFICATE.read_bytes()) is None


@every
def test_reads_and_writes_byte_for_byte(path: Path) -> None:
    signed = read(path)
    tbs = path.with_name(f"{golden_name(path)}.tbs.der").read_bytes()
    assert signed.signed_bytes == tbs == encode_resource(signed.manifest)
    again = encode_signed(signed.manifest, signed.signature, signed.fingerprint)
    assert again == path.read_bytes()


@every
def test_signature_digest_and_fingerprint(path: Path) -> None:
    signed = read(path)
    verify(PUBLIC_KEY.read_bytes(), signed.signed_bytes, der_to_raw(signed.signature))
    assert raw_to_der(der_to_raw(signed.signature)) == signed.signature
    assert signed.digest == hashlib.sha256(signed.signed_bytes).digest()
    assert signed.fingerprint == hashlib.sha256(CERTIFICATE.read_bytes()).digest()


@every
def test_no_single_byte_can_be_lost_or_added(path: Path) -> None:
    data = path.read_bytes()
    for damaged in (data[:-1], data[1:], data[: len(data) // 2], data + b"\0", b"\0" + data, b""):
        with pytest.raises(DerError):
            decode_signed(damaged)


@QUICK
@given(manifests_v1(), signatures)
def test_what_is_written_is_read(manifest: ManifestV1, signature: bytes) -> None:
    data = encode_signed(manifest, signature, bytes(32))
    signed = decode_signed(data)
    assert (signed.manifest, signed.signature) == (manifest, signature)
    assert signed.signed_bytes == encode_resource(manifest)
    assert schema_of(data) == 1


def _replaced(old: bytes, new: bytes, path: Path = RAW) -> bytes:
    """A golden manifest with one element of the same length changed."""
    data = path.read_bytes()
    assert data.count(old) >= 1
    assert len(old) == len(new)
    return data.replace(old, new, 1)


@pytest.mark.parametrize(
    ("data", "field"),
    [
        (_replaced(b"\x0a\x01\x00", b"\x0a\x01\x01"), "resourceType"),
        (_replaced(b"\x0a\x01\x01\x02", b"\x0a\x01\x03\x02"), "manifestVersion"),
        (_replaced(b"\x01\x01\xff", b"\x01\x01\x01"), "resource.manifest.applyImmediately"),
        (_replaced(b"\x01\x01\xff", b"\x02\x01\x01"), "resource.manifest.applyImmediately"),
        (_replaced(b"\x0a\x01\x02", b"\x06\x01\x02"), "resource.manifest.encryptionMode"),
        (_replaced(b"\x0a\x01\x01\x0c", b"\x0a\x01\x04\x0c"), "payload.format"),
        (_replaced(b"\x02\x01\x07", b"\x02\x01\xf9"), "priority"),
        (_replaced(b"\x0a\x01\x05", b"\x0a\x01\x01", DELTA), "precursorDigest"),
    ],
)
def test_what_no_device_takes_is_refused_by_name(data: bytes, field: str) -> None:
    with pytest.raises(FormatError) as caught:
        decode_signed(data)
    assert caught.value.field == field
    assert caught.value.offset is not None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"payload_format": PayloadFormat.COMBINED}, "payload.format"),
        ({"payload_format": PayloadFormat.ARM_PATCH_STREAM}, "precursorDigest"),
        ({"installed_size": 1}, "payload.installedSize"),
        ({"payload_digest": bytes(31)}, "payload.reference.hash"),
        ({"timestamp": -1}, "timestamp"),
        ({"priority": -1}, "priority"),
        ({"payload_uri": "\udcff"}, "payload.reference.uri"),
    ],
)
def test_what_cannot_be_written(changes: dict[str, object], field: str) -> None:
    manifest = dataclasses.replace(read(RAW).manifest, **changes)  # type: ignore[arg-type]
    with pytest.raises(ManifestError) as caught:
        encode_resource(manifest)
    assert caught.value.field == field


def test_fingerprint_of_another_size_is_not_written() -> None:
    with pytest.raises(ManifestError, match="31"):
        encode_signed(read(RAW).manifest, b"", bytes(31))


@QUICK
@given(signatures.filter(lambda raw: any(raw[:32]) and any(raw[32:])))
def test_signature_has_one_der_form(raw: bytes) -> None:
    assert der_to_raw(raw_to_der(raw)) == raw


@pytest.mark.parametrize(
    "der",
    [
        b"",
        b"\x30\x00",
        b"\x30\x06\x02\x01\x01\x02\x01\x00",  # s is zero.
        b"\x30\x06\x02\x01\xff\x02\x01\x01",  # r is negative.
        b"\x30\x07\x02\x02\x00\x01\x02\x01\x01",  # r is not in its shortest form.
        b"\x30\x06\x02\x01\x01\x02\x01\x01\x00",  # A byte too much.
        b"\x30\x81\x06\x02\x01\x01\x02\x01\x01",  # BER.
        b"\x30\x26\x02\x21\x01" + bytes(32) + b"\x02\x01\x01",  # 257 bits.
        bytes(64),
    ],
)
def test_signature_that_is_not_der_of_two_numbers(der: bytes) -> None:
    with pytest.raises(VerificationError):
        der_to_raw(der)
