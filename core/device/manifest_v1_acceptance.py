"""What devices check in a v1 manifest and its payload (manifest-v1, section 5).

There are two clients. A check that only the older one makes has a name that begins with ``hub-``:
it fails where the profile names that client, is left out where it names the other, and is a
warning where the client is not known.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fotabuild.device.manifest_acceptance import Device
from fotabuild.device.patch_acceptance import accept_patch
from fotabuild.device.profile import (
    V1_BUFFER_SIZE,
    V1_STORED_SIZE,
    V1_STORED_SIZE_WITHOUT_DELTA,
    DeviceFeature,
    DeviceProfile,
    UpdateClient,
)
from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.errors import FormatError, ManifestError, VerificationError
from fotabuild.files import sha256
from fotabuild.formats.manifest_v1 import (
    ENCRYPTION_MODE_NONE_ECC,
    ManifestV1,
    SignedManifestV1,
    decode_signed,
)
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.signing.der_signature import der_to_raw
from fotabuild.signing.verify import verify

_STATUS_URI = -21
_STATUS_MALFORMED = -22
_STATUS_SIGNATURE = -23
_STATUS_FORMAT = -25
_STATUS_DIGEST = -26
_STATUS_VERSION = -27
_STATUS_SCHEMA = -28
_STATUS_VENDOR_DATA = -29
_STATUS_VENDOR_ID = -30
_STATUS_CLASS_ID = -31
_STATUS_PRECURSOR = -32
_STATUS_STORAGE = -33
_STATUS_DIGEST_SIZE = -43
_STATUS_LENGTH = -84
_FIELD_STATUS = {
    "manifestVersion": _STATUS_SCHEMA,
    "vendorId": _STATUS_VENDOR_ID,
    "classId": _STATUS_CLASS_ID,
    "precursorDigest": _STATUS_DIGEST_SIZE,
    "payload.format": _STATUS_FORMAT,
}
_TIMESTAMP_MAX = 2**63 - 1
# BS_PATCH_COMPILE_TIME_MEMORY_ALLOC.
_HUB_PATCH_MEMORY = 1024
_HUB_SCHEMES = ("http", "coaps", "file")


def accept_manifest_v1(
    data: bytes, device: Device, payload: bytes | None = None
) -> AcceptanceReport:
    """Decide as the device would whether to install what a manifest announces.

    Args:
        data: the signed manifest.
        device: what is known of the device.
        payload: the file at the payload URI; None skips what needs the download.
    """
    report = ReportBuilder(enforced=device.profile.enforced)
    try:
        signed = decode_signed(data)
    except FormatError as error:
        status = _STATUS_MALFORMED
        if isinstance(error, ManifestError):
            status = _FIELD_STATUS.get(error.field or "", status)
        report.check("manifest-structure", False, str(error), status)
        return report.build()
    report.check("manifest-structure", True, f"{len(data)} bytes of strict DER")
    _check_signature(report, signed, device)
    _check_identity(report, signed.manifest, device)
    _check_fields(report, signed.manifest, device.profile, len(data))
    _check_hub(report, signed, device, len(data))
    _check_installed(report, signed.manifest, device)
    if payload is None:
        report.skip("payload", "no payload given")
    else:
        _check_payload(report, signed.manifest, device, payload)
    return report.build()


def _check_signature(report: ReportBuilder, signed: SignedManifestV1, device: Device) -> None:
    if device.public_key is None:
        report.skip("signature", "no certificate or public key given")
        return
    try:
        verify(device.public_key, signed.signed_bytes, der_to_raw(signed.signature))
    except VerificationError as error:
        report.check("signature", False, error.problem, _STATUS_SIGNATURE)
    else:
        report.check("signature", True, "made by the update key over these bytes")


def _check_identity(report: ReportBuilder, manifest: ManifestV1, device: Device) -> None:
    if device.identity is None:
        report.skip("vendor-id", "no device identity given")
        report.skip("class-id", "no device identity given")
        return
    for name, found, expected, status in (
        ("vendor-id", manifest.identity.vendor_id, device.identity.vendor_id, _STATUS_VENDOR_ID),
        ("class-id", manifest.identity.class_id, device.identity.class_id, _STATUS_CLASS_ID),
    ):
        report.check(name, found == expected, f"{found}, the device has {expected}", status)


def _check_fields(
    report: ReportBuilder, manifest: ManifestV1, profile: DeviceProfile, size: int
) -> None:
    limits = profile.limits
    for name, found, limit, status, remedy in (
        ("timestamp", manifest.timestamp, _TIMESTAMP_MAX, _STATUS_MALFORMED, "lower the version"),
        (
            "vendor-info",
            len(manifest.vendor_info),
            limits.vendor_data_size,
            _STATUS_VENDOR_DATA,
            "set device.limits.vendor-data-size to the FOTA_MANIFEST_VENDOR_DATA_SIZE of the "
            "firmware (0 unless it was built with another)",
        ),
        ("priority", manifest.priority or 0, limits.priority, _STATUS_MALFORMED, ""),
        (
            "payload-uri",
            len(manifest.payload_uri.encode()),
            limits.uri_size,
            _STATUS_URI,
            "shorten payload.url, or raise device.limits.uri-size",
        ),
        ("payload-size", manifest.payload_size, limits.image_size, _STATUS_MALFORMED, ""),
        ("installed-size", manifest.image_size, limits.image_size, _STATUS_STORAGE, ""),
    ):
        report.limit(name, found <= limit, f"{found}, the device takes {limit}", status, remedy)
    delta = DeviceFeature.DELTA in profile.features
    report.limit(
        "payload-format",
        delta or manifest.payload_format is not PayloadFormat.ARM_PATCH_STREAM,
        manifest.payload_format.value,
        _STATUS_FORMAT,
        "add delta to device.features if its client has that",
    )
    report.check("payload-not-empty", manifest.payload_size > 0, f"{manifest.payload_size} bytes")
    if profile.client is not UpdateClient.HUB:
        limit = V1_STORED_SIZE if delta else V1_STORED_SIZE_WITHOUT_DELTA
        report.warn_unless(
            "manifest-size",
            size <= limit,
            f"{size} bytes, the device stores up to {limit}",
            "an update that is interrupted by a reboot will not resume; shorten payload.url",
        )


class _HubReport:
    """Records what only the older client checks: a failure, a warning, or nothing at all."""

    def __init__(self, report: ReportBuilder, profile: DeviceProfile) -> None:
        self._report = report
        self._client = profile.client

    def check(self, name: str, passed: bool, detail: str, remedy: str) -> None:
        """Record a check."""
        if self._client is UpdateClient.HUB:
            self._report.check(name, passed, detail, None, remedy)
        else:
            self._warn(name, passed, detail, remedy)

    def limit(self, name: str, passed: bool, detail: str, remedy: str) -> None:
        """Record a check of a bound or an ability of the device."""
        if self._client is UpdateClient.HUB:
            self._report.limit(name, passed, detail, None, remedy)
        else:
            self._warn(name, passed, detail, remedy)

    def _warn(self, name: str, passed: bool, detail: str, remedy: str) -> None:
        if self._client is None:
            hint = f"{remedy}; set device.client to fota if no device has update-client-hub"
            self._report.warn_unless(name, passed, detail, hint)


def _check_hub(report: ReportBuilder, signed: SignedManifestV1, device: Device, size: int) -> None:
    hub = _HubReport(report, device.profile)
    manifest = signed.manifest
    scheme = _scheme(manifest.payload_uri)
    digest = sha256(signed.signed_bytes)
    hub.limit(
        "hub-manifest-size",
        size <= V1_BUFFER_SIZE,
        f"{size} bytes, the device has a buffer of {V1_BUFFER_SIZE}",
        "shorten payload.url or the vendor data",
    )
    hub.check(
        "hub-resource-hash",
        signed.digest == digest,
        f"{digest.hex()}, the manifest says {signed.digest.hex()}",
        "make the manifest again",
    )
    hub.check(
        "hub-encryption-mode",
        manifest.encryption_mode == ENCRYPTION_MODE_NONE_ECC,
        f"{manifest.encryption_mode}, supported is {ENCRYPTION_MODE_NONE_ECC}",
        "make the manifest again",
    )
    if device.certificate is None:
        report.skip("hub-fingerprint", "no certificate given")
    else:
        fingerprint = sha256(device.certificate)
        hub.check(
            "hub-fingerprint",
            signed.fingerprint == fingerprint,
            f"{signed.fingerprint.hex()}, the certificate has {fingerprint.hex()}",
            "give the certificate that devices hold",
        )
    hub.limit(
        "hub-uri-scheme",
        scheme in _HUB_SCHEMES,
        f"{scheme!r}, the old client takes {', '.join(_HUB_SCHEMES)}",
        "give an http: URL",
    )
    hub.limit(
        "hub-priority",
        manifest.priority is None or DeviceFeature.DELTA in device.profile.features,
        "absent" if manifest.priority is None else f"{manifest.priority}",
        "leave priority out: old clients without delta cannot read it",
    )


def _scheme(uri: str) -> str:
    """Return the scheme of a URI in lower case, empty when there is none."""
    try:
        return urlsplit(uri).scheme
    except ValueError:
        return ""


def _check_block_size(report: ReportBuilder, patch: bytes, profile: DeviceProfile) -> None:
    try:
        block = PatchHeader.decode(patch[:HEADER_SIZE]).block_size
    except FormatError as error:
        report.check("patch-header", False, str(error))
        return
    hub = _HubReport(report, profile)
    hub.limit(
        "hub-block-size",
        2 * block <= _HUB_PATCH_MEMORY,
        f"{block}, the old client takes {_HUB_PATCH_MEMORY // 2}",
        "make the patch with a smaller block size",
    )


def _check_installed(report: ReportBuilder, manifest: ManifestV1, device: Device) -> None:
    installed = device.installed_number
    if installed is None:
        report.skip("newer-version", "no installed version given")
    else:
        report.check(
            "newer-version",
            manifest.timestamp > installed,
            f"{manifest.timestamp} over {installed}",
            _STATUS_VERSION,
            "give the new firmware a higher version",
        )
    if manifest.precursor_digest is None:
        return
    if device.installed_image is None:
        report.skip("precursor-digest", "no installed image given")
        return
    digest = sha256(device.installed_image)
    report.check(
        "precursor-digest",
        manifest.precursor_digest == digest,
        f"{manifest.precursor_digest.hex()}, the installed image has {digest.hex()}",
        _STATUS_PRECURSOR,
    )


def _check_payload(
    report: ReportBuilder, manifest: ManifestV1, device: Device, payload: bytes
) -> None:
    report.check(
        "payload-length",
        len(payload) == manifest.payload_size,
        f"{len(payload)} bytes, announced are {manifest.payload_size}",
        _STATUS_LENGTH,
    )
    digest = sha256(payload)
    report.check(
        "payload-digest",
        digest == manifest.payload_digest,
        f"{digest.hex()}, announced is {manifest.payload_digest.hex()}",
        _STATUS_DIGEST,
    )
    if manifest.payload_format is not PayloadFormat.ARM_PATCH_STREAM:
        return
    _check_block_size(report, payload, device.profile)
    if device.installed_image is None:
        report.skip("patch-stream", "no installed image given")
        return
    report.extend(
        accept_patch(
            payload,
            device.installed_image,
            manifest.image_digest,
            manifest.image_size,
            device.profile.patch_device,
        )
    )
