"""Recognise any artifact by its bytes and describe it for people and programs."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fotabuild.digest import sha256
from fotabuild.errors import FormatError, FotabuildError, SigningError, VersionError, printable
from fotabuild.formats import elf_image, manifest_v1
from fotabuild.formats.combined_package import PackageImage, decode_package
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.manifest_schema import schema_of
from fotabuild.formats.manifest_v3 import SignedManifestV3, decode_signed
from fotabuild.formats.patch_sidecar import PatchSidecar
from fotabuild.formats.patch_stream import HEADER_SIZE, MAGIC, PatchHeader, find_markers
from fotabuild.formats.update_resources import decode_arrays
from fotabuild.limits import READ_LIMITS

Fields = Mapping[str, Any]
# CBOR tag 107 in front of a map.
_ENVELOPE_TAG = b"\xd8\x6b"
#: The kind of whatever is nothing else.
ANYTHING = "firmware image"
PRIVATE_KEY = "private key"


@dataclass(frozen=True)
class Inspection:
    """What a file is.

    Attributes:
        kind: stable name of the kind of artifact.
        fields: its content as JSON-like values; no secrets.
    """

    kind: str
    fields: Fields


def inspect_bytes(data: bytes) -> Inspection:
    """Recognise ``data`` and read it strictly.

    Raises:
        FormatError: it is recognised, and damaged.
    """
    for recognise, kind, describe in _KINDS:
        if recognise(data):
            return Inspection(kind, describe(data))
    return Inspection(ANYTHING, _image_fields(data))


def kind_of(data: bytes) -> str:
    """Return what ``data`` claims to be, by its first bytes and without reading it strictly."""
    return next((kind for recognise, kind, _ in _KINDS if recognise(data)), ANYTHING)


def is_private_key(data: bytes) -> bool:
    """Return whether a text holds a private key.

    Firmware that reads PEM files has these words in it, too; but it is no text.
    """
    return b"-----BEGIN" in data and b"PRIVATE KEY" in data and b"\0" not in data


def manifest_fields(signed: SignedManifestV3) -> Fields:
    """Return the fields of a v3 manifest under their names in the format."""
    manifest = signed.manifest
    fields: dict[str, Any] = {
        "manifest-version": 3,
        "vendor-id": str(manifest.identity.vendor_id),
        "class-id": str(manifest.identity.class_id),
        "update-priority": manifest.update_priority,
        "component-name": manifest.component_name,
        "payload-version": manifest.payload_version,
        "payload-digest": manifest.payload_digest.hex(),
        "payload-size": manifest.payload_size,
        "payload-uri": manifest.payload_uri,
        "payload-format": manifest.payload_format.value,
        "installed-signature": manifest.installed_signature.hex() or None,
    }
    if manifest.installed_digest is not None:
        fields["installed-size"] = manifest.installed_size
        fields["installed-digest"] = manifest.installed_digest.hex()
    if manifest.precursor_digest is not None:
        fields["precursor-digest"] = manifest.precursor_digest.hex()
    if manifest.vendor_data is not None:
        fields["vendor-data"] = manifest.vendor_data.hex()
    fields["signature"] = signed.signature.hex()
    fields["encryption-key"] = "present" if signed.encryption_key is not None else None
    return fields


def manifest_v1_fields(signed: manifest_v1.SignedManifestV1) -> Fields:
    """Return the fields of a v1 manifest under the names that v3 has for them, where it has."""
    manifest = signed.manifest
    fields: dict[str, Any] = {
        "manifest-version": 1,
        "vendor-id": str(manifest.identity.vendor_id),
        "class-id": str(manifest.identity.class_id),
        "update-priority": manifest.priority,
        "timestamp": manifest.timestamp,
        "payload-digest": manifest.payload_digest.hex(),
        "payload-size": manifest.payload_size,
        "payload-uri": manifest.payload_uri,
        "payload-format": manifest.payload_format.value,
        "installed-size": manifest.installed_size,
        "installed-digest": manifest.installed_digest and manifest.installed_digest.hex(),
        "precursor-digest": manifest.precursor_digest and manifest.precursor_digest.hex(),
        "vendor-data": manifest.vendor_info.hex() or None,
        "device-id": manifest.device_id.hex() or None,
        "nonce": manifest.nonce.hex() or None,
        "encryption-mode": manifest.encryption_mode,
        "resource-hash": signed.digest.hex(),
        "signature": signed.signature.hex(),
        "fingerprint": signed.fingerprint.hex(),
    }
    with contextlib.suppress(VersionError):
        fields["payload-version"] = str(FirmwareVersion.from_device_number(manifest.timestamp))
    return fields


def read_manifest(data: bytes) -> Fields:
    """Return the fields of a manifest of either schema.

    Raises:
        FormatError: it is damaged.
    """
    if schema_of(data) == manifest_v1.MANIFEST_VERSION:
        return manifest_v1_fields(manifest_v1.decode_signed(data))
    return manifest_fields(decode_signed(data))


def package_fields(images: Sequence[PackageImage]) -> Fields:
    """Return the images of a package."""
    return {
        "images": [
            {
                "sub-comp-name": image.name,
                "vendor-data": image.vendor_data.decode("utf-8", "backslashreplace"),
                "size": len(image.content),
                "digest": sha256(image.content).hex(),
            }
            for image in images
        ]
    }


def _is_envelope(data: bytes) -> bool:
    """Return whether this looks like a SUIT envelope, with its tag or with a digest in front."""
    if data.startswith(_ENVELOPE_TAG):
        return True
    # An untagged one is a map of at most 23 entries whose first key is 2.
    if len(data) > READ_LIMITS.suit_envelope or not 0xA2 <= (data or b"\0")[0] <= 0xB7:
        return False
    from fotabuild.formats.suit.decoder import detect_profile, open_envelope

    try:
        detect_profile(open_envelope(data))
    except FormatError:
        return False
    return True


def _envelope_fields(data: bytes) -> Fields:
    from fotabuild.formats.suit.decoder import decode_envelope
    from fotabuild.formats.suit.digests import removed_elements
    from fotabuild.signing.cose_algorithm import algorithm_by_number

    envelope = decode_envelope(data)
    manifest = envelope.manifest
    named = [algorithm_by_number(block.algorithm) for block in envelope.blocks]
    return {
        "profile": envelope.profile.value,
        "sequence-number": manifest.sequence_number,
        "manifest-digest": f"{envelope.digest.algorithm.value} {envelope.digest.value.hex()}",
        "components": [" ".join(part.hex() for part in parts) for parts in manifest.components],
        "elements": [element.value for element in manifest.elements],
        "severed": [element.value for element in envelope.severed] or None,
        "removed": [element.value for element in removed_elements(envelope)] or None,
        "integrated-payloads": list(envelope.integrated) or None,
        "reference-uri": manifest.reference_uri,
        "signatures": [
            str(block.algorithm) if algorithm is None else algorithm.value
            for block, algorithm in zip(envelope.blocks, named, strict=True)
        ]
        or "none",
    }


def to_text(fields: Fields, indent: str = "") -> str:
    """Return fields as indented lines for people."""
    lines = []
    for name, value in fields.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            for item in value:
                lines.append(f"{indent}{name}:")
                lines.append(to_text(item, indent + "  "))
        elif isinstance(value, list):
            lines.append(printable(f"{indent}{name}: {', '.join(map(str, value))}"))
        elif value is not None:
            lines.append(printable(f"{indent}{name}: {value}"))
    return "\n".join(lines)


def _patch_fields(data: bytes) -> Fields:
    header = PatchHeader.decode(data[:HEADER_SIZE])
    return {
        "size": len(data),
        "new-size": header.new_size,
        "block-size": header.block_size,
        "largest-frame": header.largest_frame,
        "device-memory": 2 * header.block_size,
        "digest": sha256(data).hex(),
    }


def _image_fields(data: bytes) -> Fields:
    return {
        "size": len(data),
        "digest": sha256(data).hex(),
        "patch-decoder": [marker.decode() for marker in find_markers(data)] or "none",
    }


def _elf_fields(data: bytes) -> Fields:
    flat = elf_image.flatten(data)
    return {"address": f"{flat.address:#x}", **_image_fields(flat.content)}


def _resources_fields(data: bytes) -> Fields:
    arrays = decode_arrays(data)
    return {symbol: value.hex() for symbol, value in arrays.items()}


def _certificate_fields(data: bytes) -> Fields:
    from cryptography import x509

    from fotabuild.signing.certificate import public_key_of

    der = _certificate_der(data) or b""
    certificate = x509.load_der_x509_certificate(der)
    try:
        subject = certificate.subject.rfc4514_string()
        not_after = certificate.not_valid_after_utc.isoformat()
    except ValueError:
        raise SigningError("the certificate has no readable subject or date") from None
    return {
        "size": len(der),
        "subject": subject,
        "not-after": not_after,
        "fingerprint": sha256(der).hex(),
        "public-key": public_key_of(der).hex(),
    }


def _certificate_der(data: bytes) -> bytes | None:
    """Return the DER of a certificate in DER or PEM, None for anything else."""
    from cryptography import x509
    from cryptography.hazmat.primitives.serialization import Encoding

    try:
        if b"-----BEGIN CERTIFICATE-----" in data:
            return x509.load_pem_x509_certificate(data).public_bytes(Encoding.DER)
        x509.load_der_x509_certificate(data)
    except (ValueError, x509.InvalidVersion):
        return None
    return data


def _yaml(data: bytes) -> Mapping[str, Any] | None:
    from fotabuild.config.yaml_reader import read_yaml

    try:
        return read_yaml(data).values
    except FotabuildError:
        return None


def _is_sidecar(data: bytes) -> bool:
    values = _yaml(data) if b"precursor-digest" in data else None
    return values is not None and "precursor-digest" in values


def _sidecar_fields(data: bytes) -> Fields:
    sidecar = PatchSidecar.from_values(_yaml(data) or {})
    return {
        "installed-size": sidecar.installed_size,
        "installed-digest": sidecar.installed_digest.hex(),
        "precursor-digest": sidecar.precursor_digest.hex(),
        "patch-size": sidecar.patch_size,
        "patch-digest": sidecar.patch_digest and sidecar.patch_digest.hex(),
        "patch-engine": sidecar.engine,
        "patch-effort": sidecar.effort,
        "patch-symbols": sidecar.symbols,
        "patch-complete": sidecar.complete,
    }


def _is_config(data: bytes) -> bool:
    values = _yaml(data) if b"vendor" in data else None
    return values is not None and {"vendor", "device"} <= set(values)


def _plain(value: Any) -> Any:
    """Return a value of YAML as one of JSON."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    return value.hex() if isinstance(value, bytes) else value


_Recogniser = tuple[Callable[[bytes], bool], str, Callable[[bytes], Fields]]
_KINDS: tuple[_Recogniser, ...] = (
    (lambda data: data.startswith(MAGIC), "delta patch", _patch_fields),
    (lambda data: data.startswith(elf_image.MAGIC), "linked firmware (ELF)", _elf_fields),
    (lambda data: schema_of(data) == 3, "manifest v3", read_manifest),
    (lambda data: schema_of(data) == 1, "manifest v1", read_manifest),
    (_is_envelope, "SUIT manifest", _envelope_fields),
    (
        lambda data: data[257:262] == b"ustar",
        "combined package",
        lambda data: package_fields(decode_package(data)),
    ),
    # Before certificates: a PEM file may hold both, and the key is what matters then.
    (is_private_key, PRIVATE_KEY, lambda _: {}),
    (lambda data: _certificate_der(data) is not None, "update certificate", _certificate_fields),
    (
        lambda data: len(data) == 65 and data[:1] == b"\x04",
        "public key",
        lambda data: {"public-key": data.hex()},
    ),
    (lambda data: b"arm_uc_vendor_id" in data[:4096], "update resources", _resources_fields),
    (_is_sidecar, "patch side file", _sidecar_fields),
    (_is_config, "project configuration", lambda data: _plain(_yaml(data) or {})),
)
