"""A good v1 manifest, to be spoilt in one point, and the patch that another one announces."""

from __future__ import annotations

import dataclasses
from typing import Any

from fotabuild.digest import sha256
from fotabuild.formats.manifest_v1 import ManifestV1, encode_resource, encode_signed
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.signing.der_signature import raw_to_der

from ..formats.golden import CERTIFICATE
from .scenes import IDENTITY, NEW, OLD, SIGNER, patch

GOOD = ManifestV1(
    identity=IDENTITY,
    timestamp=1_700_000_000,
    payload_format=PayloadFormat.RAW_BINARY,
    payload_digest=sha256(NEW),
    payload_size=len(NEW),
    payload_uri="http://updates.example.com/fw-1.1.0.bin",
)


def sign(manifest: ManifestV1) -> bytes:
    signature = raw_to_der(SIGNER.sign(encode_resource(manifest)))
    return encode_signed(manifest, signature, sha256(CERTIFICATE.read_bytes()))


def delta(block_size: int = 512) -> tuple[ManifestV1, bytes]:
    content = patch(block_size)
    changes: dict[str, Any] = {
        "payload_format": PayloadFormat.ARM_PATCH_STREAM,
        "payload_digest": sha256(content),
        "payload_size": len(content),
        "precursor_digest": sha256(OLD),
        "installed_size": len(NEW),
        "installed_digest": sha256(NEW),
    }
    return dataclasses.replace(GOOD, **changes), content
