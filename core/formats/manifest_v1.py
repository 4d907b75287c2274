"""Manifest schema v1: the signed DER for older update clients (manifest-v1, section 1).

Only what the tools of today write is read. The elements of the full schema that every device
refuses (descriptions, periods, encryption, aliases, dependencies) are refused here too, by name.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256

from pyasn1.type import char, namedtype, univ

from fotabuild.errors import ManifestError
from fotabuild.formats import der
from fotabuild.formats.identity import Identity
from fotabuild.formats.manifest_fields import ManifestFields
from fotabuild.formats.payload_format import PayloadFormat

MANIFEST_VERSION = 1
DIGEST_SIZE = 32
#: SHA-256, ECDSA on P-256, nothing encrypted.
ENCRYPTION_MODE_NONE_ECC = 2
_RESOURCE_TYPE_MANIFEST = 0
_UUID_SIZE = 16
_FORMATS = {
    format_.number: format_
    for format_ in (PayloadFormat.RAW_BINARY, PayloadFormat.ARM_PATCH_STREAM)
}


@dataclass(frozen=True, kw_only=True)
class ManifestV1(ManifestFields):
    """The signed part of a manifest.

    Its formats are raw-binary and arm-patch-stream, which this schema calls bsdiff-stream.

    Attributes:
        timestamp: the version as a number: seconds since 1970, or a semantic version's number.
        priority: handed to the application on the device; None leaves the element out.
        vendor_info: custom data.
        device_id: one device; written empty today.
        nonce: random bytes; written empty today.
        apply_immediately: written true today.
        encryption_mode: which signatures and encryption are used.
        storage_identifier: where the device keeps the payload.
    """

    timestamp: int
    priority: int | None = None
    vendor_info: bytes = b""
    device_id: bytes = b""
    nonce: bytes = b""
    apply_immediately: bool = True
    encryption_mode: int = ENCRYPTION_MODE_NONE_ECC
    storage_identifier: str = "default"


@dataclass(frozen=True)
class SignedManifestV1:
    """A manifest with its signature.

    Attributes:
        manifest: the fields.
        signed_bytes: the DER of the resource SEQUENCE, tag and length included.
        digest: what the manifest says is the SHA-256 of ``signed_bytes``.
        signature: ECDSA-P256-SHA256 over ``signed_bytes``, in DER.
        fingerprint: what it says is the SHA-256 of the certificate.
    """

    manifest: ManifestV1
    signed_bytes: bytes
    digest: bytes
    signature: bytes
    fingerprint: bytes


_octets = univ.OctetString()
_REFERENCE = der.sequence(
    namedtype.NamedType("hash", _octets),
    namedtype.NamedType("uri", char.UTF8String()),
    namedtype.NamedType("size", univ.Integer()),
)
_ALIAS = der.sequence(
    namedtype.NamedType("hash", _octets), namedtype.NamedType("uri", char.UTF8String())
)
_DEPENDENCY = der.sequence(
    namedtype.NamedType("hash", _octets),
    namedtype.OptionalNamedType("uri", char.UTF8String()),
    namedtype.NamedType("size", univ.Integer()),
)
_PAYLOAD = der.sequence(
    namedtype.NamedType("format", univ.Enumerated()),
    namedtype.NamedType("storageIdentifier", char.UTF8String()),
    namedtype.NamedType("reference", _REFERENCE),
    namedtype.OptionalNamedType("installedSize", univ.Integer()),
    namedtype.OptionalNamedType("installedDigest", _octets),
)
_MANIFEST = der.sequence(
    namedtype.NamedType("manifestVersion", univ.Enumerated()),
    namedtype.NamedType("timestamp", univ.Integer()),
    namedtype.NamedType("vendorId", _octets),
    namedtype.NamedType("classId", _octets),
    namedtype.NamedType("deviceId", _octets),
    namedtype.NamedType("nonce", _octets),
    namedtype.NamedType("vendorInfo", _octets),
    namedtype.OptionalNamedType("precursorDigest", _octets),
    namedtype.NamedType("applyImmediately", univ.Boolean()),
    namedtype.OptionalNamedType("priority", univ.Integer()),
    namedtype.NamedType("encryptionMode", univ.Enumerated()),
    namedtype.NamedType("aliases", univ.SequenceOf(componentType=_ALIAS)),
    namedtype.NamedType("dependencies", univ.SequenceOf(componentType=_DEPENDENCY)),
    namedtype.NamedType("payload", _PAYLOAD),
)
_RESOURCE = der.sequence(
    namedtype.NamedType("resourceType", univ.Enumerated()),
    namedtype.NamedType("manifest", _MANIFEST),
)
_CERTIFICATE = der.sequence(
    namedtype.NamedType("fingerprint", _octets), namedtype.NamedType("uri", char.UTF8String())
)
_SIGNATURE_BLOCK = der.sequence(
    namedtype.NamedType("signature", _octets),
    namedtype.NamedType("certificates", univ.SequenceOf(componentType=_CERTIFICATE)),
)
_SIGNED_RESOURCE = der.sequence(
    namedtype.NamedType("resource", _RESOURCE),
    namedtype.NamedType(
        "signature",
        der.sequence(
            namedtype.NamedType("hash", _octets),
            namedtype.NamedType("signatures", univ.SequenceOf(componentType=_SIGNATURE_BLOCK)),
        ),
    ),
)


def encode_resource(manifest: ManifestV1) -> bytes:
    """Return the DER of the resource SEQUENCE: the bytes to sign.

    Raises:
        ManifestError: fields that contradict each other or have a wrong size.
    """
    _check(manifest, {})
    return der.encode(_RESOURCE, _to_values(manifest))


def encode_signed(manifest: ManifestV1, signature: bytes, fingerprint: bytes) -> bytes:
    """Return the complete signed manifest.

    Args:
        manifest: the fields.
        signature: DER of the ECDSA over :func:`encode_resource`.
        fingerprint: SHA-256 of the update certificate.

    Raises:
        ManifestError: as :func:`encode_resource`, or a fingerprint of another size.
    """
    resource = encode_resource(manifest)
    _check_size("fingerprint", fingerprint, DIGEST_SIZE, {})
    block = {"signature": signature, "certificates": [{"fingerprint": fingerprint, "uri": ""}]}
    return der.encode(
        _SIGNED_RESOURCE,
        {
            "resource": _to_values(manifest),
            "signature": {"hash": sha256(resource).digest(), "signatures": [block]},
        },
    )


def decode_resource(data: bytes) -> ManifestV1:
    """Read the signed part alone, strictly: what :func:`encode_resource` returned.

    Raises:
        DerError: not DER, or not the fields of the schema.
        ManifestError: a field has a value that the schema or every device refuses.
    """
    decoded = der.decode(data, _RESOURCE)
    return _from_resource(decoded.values, decoded.spans)


def decode_signed(data: bytes) -> SignedManifestV1:
    """Read a signed manifest strictly; neither signature nor digest are verified here.

    Raises:
        DerError: not DER, or not the fields of the schema.
        ManifestError: a field has a value that the schema or every device refuses.
    """
    decoded = der.decode(data, _SIGNED_RESOURCE)
    spans, signature = decoded.spans, decoded.values["signature"]
    manifest = _from_resource(decoded.values["resource"], spans)
    _check_size("signature.hash", signature["hash"], DIGEST_SIZE, spans)
    if (count := len(signature["signatures"])) != 1:
        raise _problem("signature.signatures", f"expected one signature, found {count}", spans)
    block = signature["signatures"][0]
    where = "signature.signatures[0].certificates"
    if (count := len(block["certificates"])) != 1:
        raise _problem(where, f"expected one certificate, found {count}", spans)
    certificate = block["certificates"][0]
    _check_size(f"{where}[0].fingerprint", certificate["fingerprint"], DIGEST_SIZE, spans)
    if certificate["uri"]:
        raise _problem(f"{where}[0].uri", "a certificate elsewhere is not supported", spans)
    start, end = spans["resource"]
    return SignedManifestV1(
        manifest,
        signed_bytes=data[start:end],
        digest=signature["hash"],
        signature=block["signature"],
        fingerprint=certificate["fingerprint"],
    )


def _to_values(manifest: ManifestV1) -> dict[str, der.DerValue]:
    optional = {
        "precursorDigest": manifest.precursor_digest,
        "priority": manifest.priority,
    }
    payload: dict[str, der.DerValue] = {
        "format": manifest.payload_format.number,
        "storageIdentifier": manifest.storage_identifier,
        "reference": {
            "hash": manifest.payload_digest,
            "uri": manifest.payload_uri,
            "size": manifest.payload_size,
        },
    }
    if manifest.installed_digest is not None:
        payload["installedSize"] = manifest.installed_size
        payload["installedDigest"] = manifest.installed_digest
    values: dict[str, der.DerValue] = {
        "manifestVersion": MANIFEST_VERSION,
        "timestamp": manifest.timestamp,
        "vendorId": manifest.identity.vendor_id.bytes,
        "classId": manifest.identity.class_id.bytes,
        "deviceId": manifest.device_id,
        "nonce": manifest.nonce,
        "vendorInfo": manifest.vendor_info,
        "applyImmediately": manifest.apply_immediately,
        "encryptionMode": manifest.encryption_mode,
        "aliases": [],
        "dependencies": [],
        "payload": payload,
    }
    values.update({name: value for name, value in optional.items() if value is not None})
    return {"resourceType": _RESOURCE_TYPE_MANIFEST, "manifest": values}


_Spans = Mapping[str, tuple[int, int]]


def _from_resource(resource: Mapping[str, der.DerValue], spans: _Spans) -> ManifestV1:
    if resource["resourceType"] != _RESOURCE_TYPE_MANIFEST:
        raise _problem("resourceType", "this resource is not a manifest", spans)
    if (version := resource["manifest"]["manifestVersion"]) != MANIFEST_VERSION:
        raise _problem(
            "manifestVersion", f"schema version {version} is not {MANIFEST_VERSION}", spans
        )
    manifest = _from_values(resource["manifest"], spans)
    _check(manifest, spans)
    return manifest


def _from_values(values: Mapping[str, der.DerValue], spans: _Spans) -> ManifestV1:
    for name in ("vendorId", "classId"):
        _check_size(name, values[name], _UUID_SIZE, spans)
    for name in ("aliases", "dependencies"):
        if values[name]:
            raise _problem(name, "no device accepts an element here", spans)
    payload = values["payload"]
    reference = payload["reference"]
    if payload["format"] not in _FORMATS:
        raise _problem("payload.format", f"unknown payload format {payload['format']}", spans)
    return ManifestV1(
        identity=Identity(uuid.UUID(bytes=values["vendorId"]), uuid.UUID(bytes=values["classId"])),
        timestamp=values["timestamp"],
        payload_format=_FORMATS[payload["format"]],
        payload_digest=reference["hash"],
        payload_size=reference["size"],
        payload_uri=reference["uri"],
        priority=values.get("priority"),
        vendor_info=values["vendorInfo"],
        precursor_digest=values.get("precursorDigest"),
        installed_size=payload.get("installedSize"),
        installed_digest=payload.get("installedDigest"),
        device_id=values["deviceId"],
        nonce=values["nonce"],
        apply_immediately=values["applyImmediately"],
        encryption_mode=values["encryptionMode"],
        storage_identifier=payload["storageIdentifier"],
    )


def _problem(name: str, problem: str, spans: _Spans) -> ManifestError:
    """Return an error at ``name``, counted from the manifest, the resource or the whole."""
    places = (f"resource.manifest.{name}", f"manifest.{name}", f"resource.{name}", name)
    span = next((spans[place] for place in places if place in spans), None)
    return ManifestError(problem, field=name, offset=None if span is None else span[0])


def _check_size(name: str, value: bytes, size: int, spans: _Spans) -> None:
    if len(value) != size:
        raise _problem(name, f"expected {size} bytes, found {len(value)}", spans)


def _check(manifest: ManifestV1, spans: _Spans) -> None:
    """Check what the schema itself demands; the device's limits are the device room's matter."""
    if manifest.payload_format.number not in _FORMATS:
        raise _problem(
            "payload.format",
            f"this schema has no payload format {manifest.payload_format.value}",
            spans,
        )
    for name, text in (
        ("payload.reference.uri", manifest.payload_uri),
        ("payload.storageIdentifier", manifest.storage_identifier),
    ):
        # Arguments that are not UTF-8 come in as lone surrogates.
        if not text.isascii() and text.encode("utf-8", "ignore").decode() != text:
            raise _problem(name, "not Unicode text", spans)
    for name, number in (
        ("timestamp", manifest.timestamp),
        ("priority", manifest.priority),
        ("payload.reference.size", manifest.payload_size),
        ("payload.installedSize", manifest.installed_size),
    ):
        if number is not None and number < 0:
            raise _problem(name, f"{number} is negative", spans)
    patch = manifest.payload_format is PayloadFormat.ARM_PATCH_STREAM
    for name, value in (
        ("precursorDigest", manifest.precursor_digest),
        ("payload.installedSize", manifest.installed_size),
        ("payload.installedDigest", manifest.installed_digest),
    ):
        if patch == (value is None):
            raise _problem(
                name,
                f"{'missing' if patch else 'not allowed'} with {manifest.payload_format.value}",
                spans,
            )
    for name, digest in (
        ("payload.reference.hash", manifest.payload_digest),
        ("precursorDigest", manifest.precursor_digest),
        ("payload.installedDigest", manifest.installed_digest),
    ):
        if digest is not None:
            _check_size(name, digest, DIGEST_SIZE, spans)
