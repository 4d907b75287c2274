"""What devices check in a v1 manifest and its payload (manifest-v1, section 5).

There are two clients. A check that only the older one makes has a name that begins with ``hub-``:
it fails where the profile names that client, is left out where it names the other, and is a
warning where the client is not known.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from fotabuild.device.manifest_acceptance import Device
from fotabuild.device.manifest_checks import (
    STATUS_CLASS_ID,
    STATUS_DIGEST_SIZE,
    STATUS_FORMAT,
    STATUS_MALFORMED,
    STATUS_SCHEMA,
    STATUS_STORAGE,
    STATUS_URI,
    STATUS_VENDOR_DATA,
    STATUS_VENDOR_ID,
    URI_REMEDY,
    VENDOR_DATA_REMEDY,
    check_downloaded,
    check_identity,
    check_newer,
    check_patch,
    check_precursor,
    check_signature,
    warn_of_size,
)
from fotabuild.device.profile import (
    V1_BUFFER_SIZE,
    V1_STORED_SIZE,
    V1_STORED_SIZE_WITHOUT_DELTA,
    DeviceFeature,
    DeviceProfile,
    UpdateClient,
)
from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.digest import sha256
from fotabuild.errors import FormatError, ManifestError
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

_FIELD_STATUS = {
    "manifestVersion": STATUS_SCHEMA,
    "vendorId": STATUS_VENDOR_ID,
    "classId": STATUS_CLASS_ID,
    "precursorDigest": STATUS_DIGEST_SIZE,
    "payload.format": STATUS_FORMAT,
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
        status = STATUS_MALFORMED
        if isinstance(error, ManifestError):
            status = _FIELD_STATUS.get(error.field or "", status)
        report.check("manifest-structure", False, str(error), status)
        return report.build()
    report.check("manifest-structure", True, f"{len(data)} bytes of strict DER")
    check_signature(
        report,
        device.public_key,
        lambda key: verify(key, signed.signed_bytes, der_to_raw(signed.signature)),
    )
    check_identity(report, signed.manifest.identity, device.identity)
    _check_fields(report, signed.manifest, device.profile, len(data))
    _check_hub(report, signed, device, len(data))
    _check_installed(report, signed.manifest, device)
    if payload is None:
        report.skip("payload", "no payload given")
    else:
        _check_payload(report, signed.manifest, device, payload)
    return report.build()


def _check_fields(
    report: ReportBuilder, manifest: ManifestV1, profile: DeviceProfile, size: int
) -> None:
    limits = profile.limits
    for name, found, limit, status, remedy in (
        ("timestamp", manifest.timestamp, _TIMESTAMP_MAX, STATUS_MALFORMED, "lower the version"),
        (
            "vendor-info",
            len(manifest.vendor_info),
            limits.vendor_data_size,
            STATUS_VENDOR_DATA,
            VENDOR_DATA_REMEDY,
        ),
        ("priority", manifest.priority or 0, limits.priority, STATUS_MALFORMED, ""),
        (
            "payload-uri",
            len(manifest.payload_uri.encode()),
            limits.uri_size,
            STATUS_URI,
            URI_REMEDY,
        ),
        ("payload-size", manifest.payload_size, limits.image_size, STATUS_MALFORMED, ""),
        ("image-size", manifest.image_size, limits.image_size, STATUS_STORAGE, ""),
    ):
        report.limit(name, found <= limit, f"{found}, the device takes {limit}", status, remedy)
    delta = DeviceFeature.DELTA in profile.features
    report.limit(
        "payload-format",
        delta or manifest.payload_format is not PayloadFormat.ARM_PATCH_STREAM,
        manifest.payload_format.value,
        STATUS_FORMAT,
        "add delta to device.features if its client has that",
    )
    report.check("payload-not-empty", manifest.payload_size > 0, f"{manifest.payload_size} bytes")
    if profile.client is not UpdateClient.HUB:
        warn_of_size(report, size, V1_STORED_SIZE if delta else V1_STORED_SIZE_WITHOUT_DELTA)


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
    check_newer(
        report, manifest.timestamp, installed, lambda: f"{manifest.timestamp} over {installed}"
    )
    check_precursor(report, manifest, device.installed_image)


def _check_payload(
    report: ReportBuilder, manifest: ManifestV1, device: Device, payload: bytes
) -> None:
    check_downloaded(report, manifest, payload)
    if manifest.payload_format is PayloadFormat.ARM_PATCH_STREAM:
        _check_block_size(report, payload, device.profile)
        check_patch(report, manifest, payload, device.installed_image, device.profile.patch_device)
