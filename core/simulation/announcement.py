"""What a manifest announces, once the device has accepted it.

This is where manifest schemas end: everything behind it works on an :class:`Announcement`.
"""

from __future__ import annotations

import contextlib
import dataclasses
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from fotabuild.device.manifest_acceptance import Device, accept_manifest
from fotabuild.device.manifest_v1_acceptance import accept_manifest_v1
from fotabuild.device.profile import UpdateClient
from fotabuild.errors import VersionError
from fotabuild.formats import manifest_v1, manifest_v3
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.manifest_schema import schema_of
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.signing.certificate import public_key_of
from fotabuild.simulation.events import FailedUpdateError, Failure, require_accepted
from fotabuild.simulation.settings import DeviceSettings, DeviceState

_SCHEMES = ("http", "https")
# Manifests of schema v1 name no component: they are for this one.
_COMPONENT_OF_V1 = "MAIN"


@dataclass(frozen=True, kw_only=True)
class Announcement:
    """An update that the device wants.

    Attributes:
        version: version after the update: semantic, or the number of a v1 manifest.
        url: where the payload is.
        payload_format: what the payload is.
        payload_size: its size in bytes.
        payload_digest: its SHA-256.
        image_size: size in bytes of the image to be installed.
        image_digest: its SHA-256.
        encryption_key: the AES-128 key of an encrypted payload.
    """

    version: str
    url: str
    payload_format: PayloadFormat
    payload_size: int
    payload_digest: bytes
    image_size: int
    image_digest: bytes
    encryption_key: bytes | None = field(default=None, repr=False)


def accept(
    manifest: bytes, settings: DeviceSettings, state: DeviceState, certificate: bytes, server: str
) -> Announcement:
    """Decide whether to install what ``manifest`` announces.

    Args:
        manifest: as delivered.
        settings: what the device is.
        state: what is installed; the installed image was checked against its digest.
        certificate: the certificate whose updates the device accepts, DER.
        server: what short payload URIs, a mere path, are on.

    Raises:
        FailedUpdateError: with the first check that fails.
    """
    semantic = "." in state.version
    device = Device(
        profile=settings.profile,
        public_key=public_key_of(certificate),
        identity=settings.identity,
        installed_version=FirmwareVersion.parse(state.version) if semantic else None,
        installed_timestamp=None if semantic else int(state.version),
        certificate=certificate,
    )
    schema = schema_of(manifest)
    _require_schema(schema, settings)
    accept_schema = _accept_v1 if schema == manifest_v1.MANIFEST_VERSION else _accept_v3
    wanted = accept_schema(manifest, device, settings.component, state.digest)
    if wanted.url.startswith("/"):
        wanted = dataclasses.replace(wanted, url=server + wanted.url)
    _check_url(wanted.url)
    return wanted


def _require_schema(schema: int | None, settings: DeviceSettings) -> None:
    old = settings.client is UpdateClient.HUB
    known = (manifest_v1.MANIFEST_VERSION,) if old else settings.schemas
    if schema is not None and schema not in known:
        raise FailedUpdateError(
            Failure.SCHEMA_VERSION,
            f"manifest-version: {schema}, the device reads {', '.join(map(str, known))}",
        )


def _accept_v1(data: bytes, device: Device, component: str, installed: str) -> Announcement:
    require_accepted(accept_manifest_v1(data, device))
    manifest = manifest_v1.decode_signed(data).manifest
    _require_component(_COMPONENT_OF_V1, component)
    _require_precursor(manifest.precursor_digest, installed)
    version = str(manifest.timestamp)
    with contextlib.suppress(VersionError):
        version = str(FirmwareVersion.from_device_number(manifest.timestamp))
    return Announcement(
        version=version,
        url=manifest.payload_uri,
        payload_format=manifest.payload_format,
        payload_size=manifest.payload_size,
        payload_digest=manifest.payload_digest,
        image_size=manifest.image_size,
        image_digest=manifest.image_digest,
    )


def _accept_v3(data: bytes, device: Device, component: str, installed: str) -> Announcement:
    require_accepted(accept_manifest(data, device))
    signed = manifest_v3.decode_signed(data)
    manifest = signed.manifest
    _require_component(manifest.component_name, component)
    if manifest.payload_format.encrypted and signed.encryption_key is None:
        raise FailedUpdateError(
            Failure.KEY_MISSING, "encryption-key: the server did not add it to the manifest"
        )
    _require_precursor(manifest.precursor_digest, installed)
    return Announcement(
        version=manifest.payload_version,
        url=manifest.payload_uri,
        payload_format=manifest.payload_format,
        payload_size=manifest.payload_size,
        payload_digest=manifest.payload_digest,
        image_size=manifest.image_size,
        image_digest=manifest.image_digest,
        encryption_key=signed.encryption_key,
    )


def _require_component(named: str, component: str) -> None:
    if named != component:
        raise FailedUpdateError(
            Failure.COMPONENT_UNKNOWN,
            f"component-name: {named!r}, the device has {component!r}",
        )


def _require_precursor(digest: bytes | None, installed: str) -> None:
    # Compared with the digest, so that the installed image need not be in memory.
    if digest is not None and digest.hex() != installed:
        raise FailedUpdateError(
            Failure.PRECURSOR,
            f"precursor-digest: the patch starts from {digest.hex()}, installed is {installed}",
        )


def _check_url(url: str) -> None:
    try:
        parts = urlsplit(url)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable() or " " in url:
        raise FailedUpdateError(Failure.URL_INVALID, f"payload-uri: {url!r} is not a URL")
    if parts.scheme not in _SCHEMES:
        raise FailedUpdateError(
            Failure.URL_SCHEME, f"payload-uri: this device downloads with http and https, not {url}"
        )


def name_of_payload(announcement: Announcement) -> str:
    """Return what is downloaded, in words."""
    kind = {PayloadFormat.ARM_PATCH_STREAM: "delta", PayloadFormat.RAW_BINARY: "full image"}
    name = kind.get(announcement.payload_format, announcement.payload_format.value)
    return f"{name}, {announcement.payload_size} bytes"
