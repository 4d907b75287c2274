"""What a device checks in a v3 manifest and its payload (manifest-v3, section 6, in its order)."""

from __future__ import annotations

from dataclasses import dataclass, field

from fotabuild.device.profile import DeviceFeature, DeviceProfile
from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.errors import FormatError, ManifestError, VerificationError
from fotabuild.files import sha256
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.identity import Identity
from fotabuild.formats.manifest_v3 import (
    ManifestV3,
    PayloadFormat,
    SignedManifestV3,
    decode_signed,
)
from fotabuild.signing.verify import verify, verify_digest

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
_STATUS_VERSION_TEXT = -41
_STATUS_DIGEST_SIZE = -43
_STATUS_LENGTH = -84
# What the device says of a field that is there and has no allowed value; it halts at a signature
# of another size. Of everything else, and of missing fields, it says that they are malformed.
_FIELD_STATUS = {
    "manifest-version": _STATUS_SCHEMA,
    "signature": None,
    "vendor-id": _STATUS_VENDOR_ID,
    "class-id": _STATUS_CLASS_ID,
    "payload-digest": _STATUS_DIGEST_SIZE,
    "payload-format": _STATUS_FORMAT,
    "payload-metadata.installed-digest": _STATUS_DIGEST_SIZE,
    "payload-metadata.precursor-digest": _STATUS_DIGEST_SIZE,
}
_NEEDED_FEATURE = {
    PayloadFormat.ARM_PATCH_STREAM: {DeviceFeature.DELTA},
    PayloadFormat.COMBINED: {DeviceFeature.COMBINED},
    PayloadFormat.ENCRYPTED_RAW: {DeviceFeature.ENCRYPTED},
    PayloadFormat.ENCRYPTED_COMBINED: {DeviceFeature.ENCRYPTED, DeviceFeature.COMBINED},
}


@dataclass(frozen=True, kw_only=True)
class Device:
    """What is known of the device; checks that need something unknown (None) are skipped.

    Attributes:
        profile: its abilities and limits.
        public_key: the provisioned update key, 65 bytes.
        identity: its vendor and class id.
        installed_version: the version of the component that runs now.
        installed_image: the image of the component that runs now.
        certificate: the provisioned update certificate, DER.
        installed_timestamp: the version that runs now, where it is a v1 time stamp.
    """

    profile: DeviceProfile = field(default_factory=DeviceProfile)
    public_key: bytes | None = None
    identity: Identity | None = None
    installed_version: FirmwareVersion | None = None
    installed_image: bytes | None = None
    certificate: bytes | None = None
    installed_timestamp: int | None = None

    @property
    def installed_number(self) -> int | None:
        """The number in which the device compares versions."""
        if self.installed_version is not None:
            return self.installed_version.to_device_number()
        return self.installed_timestamp


def accept_manifest(data: bytes, device: Device, payload: bytes | None = None) -> AcceptanceReport:
    """Decide as the device would whether to install what a manifest announces.

    Args:
        data: the signed manifest as delivered.
        device: what is known of the device.
        payload: the file at the payload URI; None skips what needs the download.
    """
    report = ReportBuilder(enforced=device.profile.enforced)
    try:
        signed = decode_signed(data)
    except FormatError as error:
        report.check("manifest-structure", False, str(error), _structure_status(error))
        return report.build()
    report.check("manifest-structure", True, f"{len(data)} bytes of strict DER")
    _check_signature(report, signed, device)
    _check_identity(report, signed.manifest, device)
    _check_fields(report, signed, device.profile, len(data))
    _check_installed(report, signed.manifest, device)
    if payload is None:
        report.skip("payload", "no payload given")
    else:
        _check_payload(report, signed.manifest, device, payload)
        if signed.manifest.payload_format.encrypted:
            _check_encrypted(report, signed, device.profile, payload)
    return report.build()


def _structure_status(error: FormatError) -> int | None:
    if isinstance(error, ManifestError) and error.field and error.offset is not None:
        return _FIELD_STATUS.get(error.field, _STATUS_MALFORMED)
    return _STATUS_MALFORMED


def _check_signature(report: ReportBuilder, signed: SignedManifestV3, device: Device) -> None:
    if device.public_key is None:
        report.skip("signature", "no certificate or public key given")
        return
    try:
        verify(device.public_key, signed.signed_bytes, signed.signature)
    except VerificationError as error:
        report.check("signature", False, error.problem, _STATUS_SIGNATURE)
    else:
        report.check("signature", True, "made by the update key over these bytes")
    manifest = signed.manifest
    if not manifest.installed_signature:
        report.limit(
            "installed-signature",
            DeviceFeature.SIGNED_IMAGE not in device.profile.features,
            "the image is not signed",
            _STATUS_MALFORMED,
            "set sign-image: true",
        )
        return
    try:
        verify_digest(device.public_key, manifest.image_digest, manifest.installed_signature)
    except VerificationError as error:
        report.check("installed-signature", False, error.problem, _STATUS_DIGEST)
    else:
        report.check("installed-signature", True, "made by the update key over the image")


def _check_identity(report: ReportBuilder, manifest: ManifestV3, device: Device) -> None:
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
    report: ReportBuilder, signed: SignedManifestV3, profile: DeviceProfile, size: int
) -> None:
    manifest, limits = signed.manifest, profile.limits
    vendor_data = manifest.vendor_data or b""
    for name, found, limit, status, remedy in (
        ("update-priority", manifest.update_priority, limits.priority, _STATUS_MALFORMED, ""),
        (
            "component-name",
            len(manifest.component_name.encode()),
            limits.component_name_size,
            _STATUS_MALFORMED,
            "shorten component, or raise device.limits.component-name-size",
        ),
        (
            "payload-version",
            len(manifest.payload_version),
            limits.version_size,
            _STATUS_MALFORMED,
            "",
        ),
        ("payload-size", manifest.payload_size, limits.image_size, _STATUS_MALFORMED, ""),
        (
            "payload-uri",
            len(manifest.payload_uri.encode()),
            limits.uri_size,
            _STATUS_URI,
            "shorten payload.url, or raise device.limits.uri-size",
        ),
        ("installed-size", manifest.image_size, limits.image_size, _STATUS_STORAGE, ""),
        (
            "vendor-data",
            len(vendor_data),
            limits.vendor_data_size,
            _STATUS_VENDOR_DATA,
            "set device.limits.vendor-data-size to the FOTA_MANIFEST_VENDOR_DATA_SIZE of the "
            "firmware (0 unless it was built with another)",
        ),
    ):
        report.limit(name, found <= limit, f"{found}, the device takes {limit}", status, remedy)
    _check_version_text(report, manifest.payload_version)
    needed = _NEEDED_FEATURE.get(manifest.payload_format, set())
    missing = sorted(feature.value for feature in needed - profile.features)
    report.limit(
        "payload-format",
        not missing,
        manifest.payload_format.value,
        _STATUS_FORMAT,
        f"add {', '.join(missing)} to device.features if its client has that",
    )
    if manifest.payload_format.encrypted and signed.encryption_key is None:
        report.skip("encryption-key", "the service adds the key when it delivers the manifest")
    report.check("payload-not-empty", manifest.payload_size > 0, f"{manifest.payload_size} bytes")
    report.warn_unless(
        "manifest-size",
        size <= limits.manifest_size,
        f"{size} bytes, the device stores up to {limits.manifest_size}",
        "an update that is interrupted by a reboot will not resume; shorten payload.url",
    )


def _check_version_text(report: ReportBuilder, text: str) -> None:
    try:
        FirmwareVersion.parse(text)
    except FormatError as error:
        report.check("payload-version-text", False, error.problem, _STATUS_VERSION_TEXT)
    else:
        report.check("payload-version-text", True, text)


def _check_installed(report: ReportBuilder, manifest: ManifestV3, device: Device) -> None:
    installed = device.installed_number
    if installed is None:
        report.skip("newer-version", "no installed version given")
    else:
        report.check(
            "newer-version",
            _device_number(manifest.payload_version) > installed,
            f"{manifest.payload_version} over {device.installed_version or installed}",
            _STATUS_VERSION,
            "give the new firmware a higher version",
        )
    if manifest.precursor_digest is None:
        return
    if device.installed_image is None:
        report.skip("precursor-digest", "no installed image given")
        return
    report.check(
        "precursor-digest",
        manifest.precursor_digest == (digest := sha256(device.installed_image)),
        f"{manifest.precursor_digest.hex()}, the installed image has {digest.hex()}",
        _STATUS_PRECURSOR,
    )


def _device_number(text: str) -> int:
    try:
        return FirmwareVersion.parse(text).to_device_number()
    except FormatError:
        return 0


def _check_payload(
    report: ReportBuilder, manifest: ManifestV3, device: Device, payload: bytes
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
    if manifest.payload_format is PayloadFormat.COMBINED:
        from fotabuild.device.package_acceptance import accept_package

        report.extend(accept_package(payload, device.profile))
    if manifest.payload_format is PayloadFormat.ARM_PATCH_STREAM:
        if device.installed_image is None:
            report.skip("patch-stream", "no installed image given")
            return
        from fotabuild.device.patch_acceptance import accept_patch

        report.extend(
            accept_patch(
                payload,
                device.installed_image,
                manifest.image_digest,
                manifest.image_size,
                device.profile.patch_device,
            )
        )


def _check_encrypted(
    report: ReportBuilder, signed: SignedManifestV3, profile: DeviceProfile, payload: bytes
) -> None:
    manifest = signed.manifest
    if signed.encryption_key is None:
        report.skip("payload-decryption", "the key was not delivered with the manifest")
        return
    from fotabuild.device.encrypted_acceptance import accept_encrypted

    decryption, plain = accept_encrypted(
        payload, signed.encryption_key, manifest.image_digest, manifest.image_size
    )
    report.extend(decryption)
    if plain is not None and manifest.payload_format is PayloadFormat.ENCRYPTED_COMBINED:
        from fotabuild.device.package_acceptance import accept_package

        report.extend(accept_package(plain, profile))
