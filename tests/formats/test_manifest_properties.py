"""Properties of the v3 manifest: what is written reads back, and only one spelling is accepted."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.errors import FormatError, ManifestError
from fotabuild.formats.manifest_v3 import (
    ManifestV3,
    PayloadFormat,
    decode_signed,
    encode_manifest,
    encode_signed,
)

from .golden import MANIFESTS
from .strategies import QUICK, digests, manifests, signatures

RAW = decode_signed(next(p for p in MANIFESTS if p.name == "raw.manifest.bin").read_bytes())
PATCH = decode_signed(
    next(p for p in MANIFESTS if p.name == "patch-vendor-data.manifest.bin").read_bytes()
)


@QUICK
@given(manifests(), signatures)
def test_what_is_written_reads_back(manifest: ManifestV3, signature: bytes) -> None:
    signed = decode_signed(encode_signed(manifest, signature))
    assert (signed.manifest, signed.signature) == (manifest, signature)
    assert signed.signed_bytes == encode_manifest(manifest)


@QUICK
@given(manifests(), signatures, st.binary(min_size=16, max_size=16))
def test_key_element_is_accepted_behind_encrypted_payloads_only(
    manifest: ManifestV3, signature: bytes, key: bytes
) -> None:
    data = encode_signed(manifest, signature) + b"\x81\x10" + key
    if manifest.payload_format.encrypted:
        assert decode_signed(data).encryption_key == key
    else:
        with pytest.raises(FormatError):
            decode_signed(data)


def test_every_changed_byte_is_refused_or_is_another_value() -> None:
    """No two texts stand for the same manifest: what still decodes, encodes to itself."""
    accepted = refused = 0
    for signed in (RAW, PATCH):
        data = encode_signed(signed.manifest, signed.signature)
        for index in range(len(data)):
            for value in {0x00, 0x7F, 0x80, 0xFF, data[index] ^ 1, data[index] ^ 0x20}:
                changed = data[:index] + bytes([value]) + data[index + 1 :]
                if changed == data:
                    continue
                try:
                    found = decode_signed(changed)
                except FormatError:
                    refused += 1
                else:
                    assert encode_signed(found.manifest, found.signature) == changed
                    assert (found.manifest, found.signature) != (signed.manifest, signed.signature)
                    accepted += 1
    assert min(accepted, refused) > 500


@QUICK
@given(st.data())
def test_spliced_bytes_are_refused_or_canonical(data: st.DataObject) -> None:
    good = encode_signed(PATCH.manifest, PATCH.signature)
    start = data.draw(st.integers(0, len(good)))
    end = data.draw(st.integers(start, min(len(good), start + 8)))
    changed = good[:start] + data.draw(st.binary(max_size=8)) + good[end:]
    try:
        found = decode_signed(changed)
    except FormatError:
        return
    assert encode_signed(found.manifest, found.signature) == changed


@QUICK
@given(digests)
def test_vendor_data_is_not_taken_for_the_signature(vendor_data: bytes) -> None:
    """Both are OCTET STRINGs; an empty signature is written, never left out (section 1)."""
    manifest = dataclasses.replace(RAW.manifest, vendor_data=vendor_data)
    found = decode_signed(encode_signed(manifest, RAW.signature)).manifest
    assert (found.installed_signature, found.vendor_data) == (b"", vendor_data)
    empty = dataclasses.replace(RAW.manifest, vendor_data=b"")
    assert decode_signed(encode_signed(empty, RAW.signature)).manifest.vendor_data == b""


@pytest.mark.parametrize(
    ("field", "changes"),
    [
        ("update-priority", {"update_priority": -1}),
        ("payload-size", {"payload_size": -1}),
        ("payload-digest", {"payload_digest": bytes(31)}),
        ("installed-signature", {"installed_signature": bytes(63)}),
        ("payload-metadata", {"installed_size": 1, "installed_digest": bytes(32)}),
        ("payload-metadata", {"installed_digest": bytes(32)}),
        ("payload-metadata", {"installed_size": 1}),
        ("payload-metadata", {"payload_format": PayloadFormat.COMBINED}),
        ("payload-metadata", {"payload_format": PayloadFormat.COMBINED, "installed_size": 1}),
        ("payload-uri", {"payload_uri": "https://\udcff"}),
        ("payload-metadata.precursor-digest", {"precursor_digest": bytes(32)}),
        (
            "payload-metadata.precursor-digest",
            {
                "payload_format": PayloadFormat.ARM_PATCH_STREAM,
                "installed_size": 1,
                "installed_digest": bytes(32),
            },
        ),
        (
            "payload-metadata.installed-digest",
            {
                "payload_format": PayloadFormat.COMBINED,
                "installed_size": 1,
                "installed_digest": bytes(33),
            },
        ),
        (
            "payload-metadata.installed-size",
            {
                "payload_format": PayloadFormat.COMBINED,
                "installed_size": -1,
                "installed_digest": bytes(32),
            },
        ),
    ],
)
def test_contradicting_fields_are_named(field: str, changes: dict[str, object]) -> None:
    manifest = dataclasses.replace(RAW.manifest, **changes)  # type: ignore[arg-type]
    with pytest.raises(ManifestError) as caught:
        encode_manifest(manifest)
    assert caught.value.field == field


@pytest.mark.parametrize("size", [0, 63, 65, 72])
def test_signature_of_another_size_is_refused(size: int) -> None:
    with pytest.raises(ManifestError) as caught:
        encode_signed(RAW.manifest, bytes(size))
    assert caught.value.field == "signature"
