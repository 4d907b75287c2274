"""What the server and its pages say about a manifest of either schema."""

from __future__ import annotations

import contextlib
import uuid
from dataclasses import dataclass

from fotabuild.errors import FormatError, VersionError
from fotabuild.formats import manifest_v1, manifest_v3
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.manifest_schema import schema_of
from fotabuild.formats.payload_format import PayloadFormat


@dataclass(frozen=True, kw_only=True)
class ManifestFacts:
    """The fields that both schemas have, under the names of v3.

    Attributes:
        schema: 1 or 3.
        vendor_id: whose devices may install it.
        class_id: which of its devices.
        version: the version after the update, as text; of v1 the number if it is no version.
        timestamp: the version of a v1 manifest as seconds since 1970, or None.
        priority: handed to the application, or None.
        component: what is updated; v1 knows one only.
        payload_format: what the device downloads.
        payload_digest: SHA-256 of that, in hexadecimal.
        payload_size: bytes of that.
        payload_uri: where it is.
        installed_digest: SHA-256 of the image after the update.
        installed_size: bytes of that.
        precursor_digest: SHA-256 of the image that a patch starts from, or None.
        signed_image: the installed image is signed, too.
    """

    schema: int
    vendor_id: uuid.UUID
    class_id: uuid.UUID
    version: str
    timestamp: int | None
    priority: int | None
    component: str
    payload_format: PayloadFormat
    payload_digest: str
    payload_size: int
    payload_uri: str
    installed_digest: str
    installed_size: int
    precursor_digest: str | None
    signed_image: bool

    @property
    def kind(self) -> str:
        """``delta`` or ``full``, as the API names them."""
        return "delta" if self.precursor_digest is not None else "full"


def read_manifest(data: bytes) -> ManifestFacts:
    """Read a manifest strictly; the signature is the devices' matter.

    Raises:
        FormatError: not DER, or neither schema 1 nor 3.
    """
    schema = schema_of(data)
    if schema == manifest_v1.MANIFEST_VERSION:
        return _facts_v1(manifest_v1.decode_signed(data).manifest)
    if schema != manifest_v3.MANIFEST_VERSION:
        raise FormatError("this is no manifest of schema 1 or 3")
    signed = manifest_v3.decode_signed(data)
    if signed.encryption_key is not None:
        raise FormatError("a manifest is uploaded without the key; the server appends it")
    return _facts_v3(signed.manifest)


def _facts_v3(manifest: manifest_v3.ManifestV3) -> ManifestFacts:
    return ManifestFacts(
        schema=3,
        vendor_id=manifest.identity.vendor_id,
        class_id=manifest.identity.class_id,
        version=manifest.payload_version,
        timestamp=None,
        priority=manifest.update_priority,
        component=manifest.component_name,
        payload_format=manifest.payload_format,
        payload_digest=manifest.payload_digest.hex(),
        payload_size=manifest.payload_size,
        payload_uri=manifest.payload_uri,
        installed_digest=manifest.image_digest.hex(),
        installed_size=manifest.image_size,
        precursor_digest=_hex(manifest.precursor_digest),
        signed_image=bool(manifest.installed_signature),
    )


def _facts_v1(manifest: manifest_v1.ManifestV1) -> ManifestFacts:
    version, timestamp = str(manifest.timestamp), None
    try:
        version = str(FirmwareVersion.from_device_number(manifest.timestamp))
    except VersionError:
        with contextlib.suppress(OverflowError):
            timestamp = min(manifest.timestamp, 253_402_300_799)
    return ManifestFacts(
        schema=1,
        vendor_id=manifest.identity.vendor_id,
        class_id=manifest.identity.class_id,
        version=version,
        timestamp=timestamp,
        priority=manifest.priority,
        component="MAIN",
        payload_format=manifest.payload_format,
        payload_digest=manifest.payload_digest.hex(),
        payload_size=manifest.payload_size,
        payload_uri=manifest.payload_uri,
        installed_digest=manifest.image_digest.hex(),
        installed_size=manifest.image_size,
        precursor_digest=_hex(manifest.precursor_digest),
        signed_image=False,
    )


def _hex(digest: bytes | None) -> str | None:
    return None if digest is None else digest.hex()
