"""What a device checks in a v3 manifest and its payload (manifest-v3, section 6, in its order)."""

from __future__ import annotations

from dataclasses import dataclass, field

from fotabuild.device.manifest_checks import (
    STATUS_CLASS_ID,
    STATUS_DIGEST,
    STATUS_DIGEST_SIZE,
    STATUS_FORMAT,
    STATUS_MALFORMED,
    STATUS_SCHEMA,
    STATUS_STORAGE,
    STATUS_URI,
    STATUS_VENDOR_DATA,
    STATUS_VENDOR_ID,
    STATUS_VERSION_TEXT,
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
from fotabuild.device.profile import DeviceFeature, DeviceProfile
from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.errors import FormatError, ManifestError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.identity import Identity
from fotabuild.formats.manifest_v3 import (
    ManifestV3,
    PayloadFormat,
    SignedManifestV3,
    decode_signed,
)
from fotabuild.signing.verify import verify, verify_digest

# What the device says of a field that is there and has no allowed value; it halts at a signature
# of another size. Of everything else, and of missing fields, it says that they are malformed.
_FIELD_STATUS = {
    "manifest-version": STATUS_SCHEMA,
    "signature": None,
    "vendor-id": STATUS_VENDOR_ID,
    "class-id": STATUS_CLASS_ID,
    "payload-digest": STATUS_DIGEST_SIZE,
    "payload-format": STATUS_FORMAT,
    "payload-metadata.installed-digest": STATUS_DIGEST_SIZE,
    "payload-metadata.precursor-digest": STATUS_DIGEST_SIZE,
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
    check_identity(report, signed.manifest.identity, device.identity)
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
        return _FIELD_STATUS.get(error.field, STATUS_MALFORMED)
    return STATUS_MALFORMED


def _check_signature(report: ReportBuilder, signed: SignedManifestV3, device: Device) -> None:
    check_signature(
        report,
        device.public_key,
        lambda key: verify(key, signed.signed_bytes, signed.signature),
    )
    public_key = device.public_key
    if public_key is None:
        return
    manifest = signed.manifest
    if not manifest.installed_signature:
        report.limit(
            "installed-signature",
            DeviceFeature.SIGNED_IMAGE not in device.profile.features,
            "the image is not signed",
            STATUS_MALFORMED,
            "set sign-image: true",
        )
        return
    report.attempt(
        "installed-signature",
        lambda: verify_digest(public_key, manifest.image_digest, manifest.installed_signature),
        "made by the update key over the image",
        STATUS_DIGEST,
    )


def _check_fields(
    report: ReportBuilder, signed: SignedManifestV3, profile: DeviceProfile, size: int
) -> None:
    manifest, limits = signed.manifest, profile.limits
    vendor_data = manifest.vendor_data or b""
    for name, found, limit, status, remedy in (
        ("update-priority", manifest.update_priority, limits.priority, STATUS_MALFORMED, ""),
        (
            "component-name",
            len(manifest.component_name.encode()),
            limits.component_name_size,
            STATUS_MALFORMED,
            "shorten component, or raise device.limits.component-name-size",
        ),
        (
            "payload-version",
            len(manifest.payload_version),
            limits.version_size,
            STATUS_MALFORMED,
            "",
        ),
        ("payload-size", manifest.payload_size, limits.image_size, STATUS_MALFORMED, ""),
        (
            "payload-uri",
            len(manifest.payload_uri.encode()),
            limits.uri_size,
            STATUS_URI,
            URI_REMEDY,
        ),
        ("image-size", manifest.image_size, limits.image_size, STATUS_STORAGE, ""),
        (
            "vendor-data",
            len(vendor_data),
            limits.vendor_data_size,
            STATUS_VENDOR_DATA,
            VENDOR_DATA_REMEDY,
        ),
    ):
        report.limit(name, found <= limit, f"{found}, the device takes {limit}", status, remedy)
    text = manifest.payload_version
    report.attempt(
        "payload-version-text", lambda: FirmwareVersion.parse(text), text, STATUS_VERSION_TEXT
    )
    needed = _NEEDED_FEATURE.get(manifest.payload_format, set())
    missing = sorted(feature.value for feature in needed - profile.features)
    report.limit(
        "payload-format",
        not missing,
        manifest.payload_format.value,
        STATUS_FORMAT,
        f"add {', '.join(missing)} to device.features if its client has that",
    )
    if manifest.payload_format.encrypted and signed.encryption_key is None:
        report.skip("encryption-key", "the service adds the key when it delivers the manifest")
    report.check("payload-not-empty", manifest.payload_size > 0, f"{manifest.payload_size} bytes")
    warn_of_size(report, size, limits.manifest_size)


def _check_installed(report: ReportBuilder, manifest: ManifestV3, device: Device) -> None:
    installed = device.installed_number
    check_newer(
        report,
        _device_number(manifest.payload_version),
        installed,
        lambda: f"{manifest.payload_version} over {device.installed_version or installed}",
    )
    check_precursor(report, manifest, device.installed_image)


def _device_number(text: str) -> int:
    try:
        return FirmwareVersion.parse(text).to_device_number()
    except FormatError:
        return 0


def _check_payload(
    report: ReportBuilder, manifest: ManifestV3, device: Device, payload: bytes
) -> None:
    check_downloaded(report, manifest, payload)
    if manifest.payload_format is PayloadFormat.COMBINED:
        from fotabuild.device.package_acceptance import accept_package

        report.extend(accept_package(payload, device.profile))
    if manifest.payload_format is PayloadFormat.ARM_PATCH_STREAM:
        check_patch(report, manifest, payload, device.installed_image, device.profile.patch_device)


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
