"""Manifest schema v3: the signed DER of Izuma/Pelion Device Management (manifest-v3, section 1)."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass

from pyasn1.type import char, namedtype, univ

from fotabuild.errors import DerError, ManifestError
from fotabuild.formats import der
from fotabuild.formats.encrypted_payload import KEY_SIZE, KEY_TLV_HEADER
from fotabuild.formats.identity import Identity
from fotabuild.formats.manifest_fields import ManifestFields
from fotabuild.formats.payload_format import PayloadFormat as PayloadFormat

MANIFEST_VERSION = 3
SIGNATURE_SIZE = 64
DIGEST_SIZE = 32
_UUID_SIZE = 16


_FORMATS_BY_NUMBER = {name.number: name for name in PayloadFormat}


@dataclass(frozen=True, kw_only=True)
class ManifestV3(ManifestFields):
    """The signed part of a manifest.

    Attributes:
        update_priority: handed to the application on the device.
        component_name: the component to update.
        payload_version: version after the update, ``MAJOR.MINOR.PATCH``.
        installed_signature: ECDSA over the digest of the image, raw 64 bytes, or empty.
        vendor_data: custom data, None when absent (an empty file is not absent).
    """

    update_priority: int
    component_name: str
    payload_version: str
    installed_signature: bytes = b""
    vendor_data: bytes | None = None


@dataclass(frozen=True)
class SignedManifestV3:
    """A manifest with its signature.

    Attributes:
        manifest: the fields.
        signed_bytes: the DER of the manifest SEQUENCE, tag and length included.
        signature: ECDSA-P256-SHA256 over ``signed_bytes``, raw r and s.
        encryption_key: the AES-128 key that the service appends for encrypted payloads, or None.
    """

    manifest: ManifestV3
    signed_bytes: bytes
    signature: bytes
    encryption_key: bytes | None = None


_METADATA = der.sequence(
    namedtype.NamedType("installed-size", univ.Integer()),
    namedtype.NamedType("installed-digest", univ.OctetString()),
    namedtype.OptionalNamedType("precursor-digest", univ.OctetString()),
)
_MANIFEST = der.sequence(
    namedtype.NamedType("vendor-id", univ.OctetString()),
    namedtype.NamedType("class-id", univ.OctetString()),
    namedtype.NamedType("update-priority", univ.Integer()),
    namedtype.NamedType("component-name", char.UTF8String()),
    namedtype.NamedType("payload-version", char.UTF8String()),
    namedtype.NamedType("payload-digest", univ.OctetString()),
    namedtype.NamedType("payload-size", univ.Integer()),
    namedtype.NamedType("payload-uri", char.UTF8String()),
    namedtype.NamedType("payload-format", univ.Enumerated()),
    namedtype.NamedType("installed-signature", univ.OctetString()),
    namedtype.OptionalNamedType("payload-metadata", _METADATA),
    namedtype.OptionalNamedType("vendor-data", univ.OctetString()),
)
_SIGNED_RESOURCE = der.sequence(
    namedtype.NamedType("manifest-version", univ.Enumerated()),
    namedtype.NamedType("manifest", _MANIFEST),
    namedtype.NamedType("signature", univ.OctetString()),
)


def encode_manifest(manifest: ManifestV3) -> bytes:
    """Return the DER of the manifest SEQUENCE: the bytes to sign.

    Raises:
        ManifestError: fields that contradict each other or have a wrong size.
    """
    _check(manifest, {})
    return der.encode(_MANIFEST, _to_values(manifest))


def encode_signed(manifest: ManifestV3, signature: bytes) -> bytes:
    """Return the complete signed manifest.

    Args:
        manifest: the fields.
        signature: 64 bytes, r and s of the ECDSA over :func:`encode_manifest`.

    Raises:
        ManifestError: as :func:`encode_manifest`, or a signature of another size.
    """
    _check(manifest, {})
    _check_size("signature", signature, SIGNATURE_SIZE, {})
    return der.encode(
        _SIGNED_RESOURCE,
        {
            "manifest-version": MANIFEST_VERSION,
            "manifest": _to_values(manifest),
            "signature": signature,
        },
    )


def join_signature(signed_bytes: bytes, signature: bytes) -> bytes:
    """Return the manifest of bytes that were signed elsewhere; read it strictly before any use.

    Args:
        signed_bytes: what :func:`encode_manifest` returned.
        signature: 64 bytes.
    """
    version = bytes((0x0A, 1, MANIFEST_VERSION))
    content = version + signed_bytes + bytes((0x04, len(signature))) + signature
    size = len(content)
    length = bytes((size,)) if size < 0x80 else size.to_bytes((size.bit_length() + 7) // 8, "big")
    if size >= 0x80:
        length = bytes((0x80 | len(length),)) + length
    return b"\x30" + length + content


def decode_signed(data: bytes) -> SignedManifestV3:
    """Read a signed manifest strictly; the signature is not verified here.

    Args:
        data: the manifest file, with the key element of encrypted payloads when it is delivered.

    Raises:
        DerError: not DER, or not the fields of the schema.
        ManifestError: a field has a value that the schema does not allow.
    """
    decoded = der.decode(data, _SIGNED_RESOURCE, allow_trailing=True)
    spans = decoded.spans
    version = decoded.values["manifest-version"]
    if version != MANIFEST_VERSION:
        raise ManifestError(
            f"schema version {version} is not {MANIFEST_VERSION}",
            field="manifest-version",
            offset=spans["manifest-version"][0],
        )
    _check_size("signature", decoded.values["signature"], SIGNATURE_SIZE, spans)
    manifest = _from_values(decoded)
    _check(manifest, spans)
    start, end = spans["manifest"]
    return SignedManifestV3(
        manifest,
        signed_bytes=data[start:end],
        signature=decoded.values["signature"],
        encryption_key=_read_key(data, decoded.end, manifest.payload_format),
    )


def _read_key(data: bytes, offset: int, payload_format: PayloadFormat) -> bytes | None:
    rest = data[offset:]
    if not rest:
        return None
    if payload_format.encrypted and rest[:2] == KEY_TLV_HEADER and len(rest) == 2 + KEY_SIZE:
        return rest[2:]
    raise DerError(f"{len(rest)} bytes follow the end of the manifest", offset=offset)


def _to_values(manifest: ManifestV3) -> dict[str, der.DerValue]:
    values: dict[str, der.DerValue] = {
        "vendor-id": manifest.identity.vendor_id.bytes,
        "class-id": manifest.identity.class_id.bytes,
        "update-priority": manifest.update_priority,
        "component-name": manifest.component_name,
        "payload-version": manifest.payload_version,
        "payload-digest": manifest.payload_digest,
        "payload-size": manifest.payload_size,
        "payload-uri": manifest.payload_uri,
        "payload-format": manifest.payload_format.number,
        "installed-signature": manifest.installed_signature,
    }
    if manifest.installed_digest is not None:
        metadata: dict[str, der.DerValue] = {
            "installed-size": manifest.installed_size,
            "installed-digest": manifest.installed_digest,
        }
        if manifest.precursor_digest is not None:
            metadata["precursor-digest"] = manifest.precursor_digest
        values["payload-metadata"] = metadata
    if manifest.vendor_data is not None:
        values["vendor-data"] = manifest.vendor_data
    return values


def _from_values(decoded: der.Decoded) -> ManifestV3:
    values = decoded.values["manifest"]
    for name in ("vendor-id", "class-id"):
        _check_size(name, values[name], _UUID_SIZE, decoded.spans)
    number = values["payload-format"]
    if number not in _FORMATS_BY_NUMBER:
        raise _problem("payload-format", f"unknown payload format {number}", decoded.spans)
    metadata = values.get("payload-metadata", {})
    return ManifestV3(
        identity=Identity(
            uuid.UUID(bytes=values["vendor-id"]), uuid.UUID(bytes=values["class-id"])
        ),
        update_priority=values["update-priority"],
        component_name=values["component-name"],
        payload_version=values["payload-version"],
        payload_digest=values["payload-digest"],
        payload_size=values["payload-size"],
        payload_uri=values["payload-uri"],
        payload_format=_FORMATS_BY_NUMBER[number],
        installed_signature=values["installed-signature"],
        installed_size=metadata.get("installed-size"),
        installed_digest=metadata.get("installed-digest"),
        precursor_digest=metadata.get("precursor-digest"),
        vendor_data=values.get("vendor-data"),
    )


_Spans = Mapping[str, tuple[int, int]]


def _problem(name: str, problem: str, spans: _Spans) -> ManifestError:
    span = spans.get(f"manifest.{name}", spans.get(name))
    return ManifestError(problem, field=name, offset=None if span is None else span[0])


def _check_size(name: str, value: bytes, size: int, spans: _Spans) -> None:
    if len(value) != size:
        raise _problem(name, f"expected {size} bytes, found {len(value)}", spans)


def _check(manifest: ManifestV3, spans: _Spans) -> None:
    """Check what the schema itself demands; the device's limits are the device room's matter."""
    for name, text in (
        ("component-name", manifest.component_name),
        ("payload-version", manifest.payload_version),
        ("payload-uri", manifest.payload_uri),
    ):
        # Arguments that are not UTF-8 come in as lone surrogates.
        if not text.isascii() and text.encode("utf-8", "ignore").decode() != text:
            raise _problem(name, "not Unicode text", spans)
    for name, number in (
        ("update-priority", manifest.update_priority),
        ("payload-size", manifest.payload_size),
        ("payload-metadata.installed-size", manifest.installed_size),
    ):
        if number is not None and number < 0:
            raise _problem(name, f"{number} is negative", spans)
    for name, digest in (
        ("payload-digest", manifest.payload_digest),
        ("payload-metadata.installed-digest", manifest.installed_digest),
        ("payload-metadata.precursor-digest", manifest.precursor_digest),
    ):
        if digest is not None:
            _check_size(name, digest, DIGEST_SIZE, spans)
    if manifest.installed_signature:
        _check_size("installed-signature", manifest.installed_signature, SIGNATURE_SIZE, spans)
    raw = manifest.payload_format is PayloadFormat.RAW_BINARY
    metadata = [manifest.installed_digest is None, manifest.installed_size is None]
    if metadata != [raw, raw]:
        raise _problem(
            "payload-metadata",
            f"{'not allowed' if raw else 'missing'} with {manifest.payload_format.value}",
            spans,
        )
    patch = manifest.payload_format is PayloadFormat.ARM_PATCH_STREAM
    if patch == (manifest.precursor_digest is None):
        raise _problem(
            "payload-metadata.precursor-digest",
            f"{'missing' if patch else 'not allowed'} with {manifest.payload_format.value}",
            spans,
        )
