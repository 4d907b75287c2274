"""A decoded manifest as the older tools print it: YAML with the names of the schema."""

from __future__ import annotations

from typing import Any

import yaml

from fotabuild.formats.manifest_v1 import SignedManifestV1
from fotabuild.formats.manifest_v3 import SignedManifestV3

_START, _END = "----- Manifest dump start -----", "----- Manifest dump end -----"


def dump(signed: SignedManifestV1 | SignedManifestV3) -> str:
    """Return the block between its two marks."""
    values = _v1(signed) if isinstance(signed, SignedManifestV1) else _v3(signed)
    text = yaml.safe_dump(_printable(values), sort_keys=False, default_flow_style=False)
    return f"\n{_START}\n{text}{_END}"


def _v3(signed: SignedManifestV3) -> dict[str, Any]:
    manifest = signed.manifest
    values: dict[str, Any] = {
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
        values["payload-metadata"] = {
            "installed-size": manifest.installed_size,
            "installed-digest": manifest.installed_digest,
            "precursor-digest": manifest.precursor_digest,
        }
    values["vendor-data"] = manifest.vendor_data
    return {"manifest-version": 3, "manifest": values, "signature": signed.signature}


def _v1(signed: SignedManifestV1) -> dict[str, Any]:
    manifest = signed.manifest
    return {
        "resource": {
            "resourceType": 0,
            "resource": {
                "manifest": {
                    "manifestVersion": 1,
                    "timestamp": manifest.timestamp,
                    "vendorId": manifest.identity.vendor_id.bytes,
                    "classId": manifest.identity.class_id.bytes,
                    "deviceId": manifest.device_id,
                    "nonce": manifest.nonce,
                    "vendorInfo": manifest.vendor_info,
                    "precursorDigest": manifest.precursor_digest,
                    "applyImmediately": manifest.apply_immediately,
                    "priority": manifest.priority,
                    "encryptionMode": {"enum": manifest.encryption_mode},
                    "aliases": [],
                    "dependencies": [],
                    "payload": {
                        "format": {"enum": manifest.payload_format.number},
                        "storageIdentifier": manifest.storage_identifier,
                        "reference": {
                            "hash": manifest.payload_digest,
                            "uri": manifest.payload_uri,
                            "size": manifest.payload_size,
                        },
                        "installedSize": manifest.installed_size,
                        "installedDigest": manifest.installed_digest,
                    },
                }
            },
        },
        "signature": {
            "hash": signed.digest,
            "signatures": [
                {
                    "signature": signed.signature,
                    "certificates": [{"fingerprint": signed.fingerprint, "uri": ""}],
                }
            ],
        },
    }


def _printable(value: Any) -> Any:
    """Return a value without absent fields, with octets as text where they are text."""
    if isinstance(value, dict):
        return {name: _printable(item) for name, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_printable(item) for item in value]
    if isinstance(value, bytes):
        try:
            return value.decode()
        except UnicodeDecodeError:
            return value.hex()
    return value
