"""What devices check alike in manifests of both schemas, and the statuses that they report."""

from __future__ import annotations

from collections.abc import Callable

from fotabuild.device.patch_device import PatchDevice
from fotabuild.device.report import ReportBuilder
from fotabuild.digest import sha256
from fotabuild.formats.identity import Identity
from fotabuild.formats.manifest_fields import ManifestFields

STATUS_URI = -21
STATUS_MALFORMED = -22
STATUS_SIGNATURE = -23
STATUS_FORMAT = -25
STATUS_DIGEST = -26
STATUS_VERSION = -27
STATUS_SCHEMA = -28
STATUS_VENDOR_DATA = -29
STATUS_VENDOR_ID = -30
STATUS_CLASS_ID = -31
STATUS_PRECURSOR = -32
STATUS_STORAGE = -33
STATUS_VERSION_TEXT = -41
STATUS_DIGEST_SIZE = -43
STATUS_LENGTH = -84
URI_REMEDY = "shorten payload.url, or raise device.limits.uri-size"
VENDOR_DATA_REMEDY = (
    "set device.limits.vendor-data-size to the FOTA_MANIFEST_VENDOR_DATA_SIZE of the firmware "
    "(0 unless it was built with another)"
)


def check_signature(
    report: ReportBuilder, public_key: bytes | None, verify: Callable[[bytes], None]
) -> None:
    """Check the signature of a manifest.

    Args:
        report: takes the result.
        public_key: the provisioned update key, if it is known.
        verify: raises VerificationError unless the manifest is signed with its argument.
    """
    if public_key is None:
        report.skip("signature", "no certificate or public key given")
    else:
        detail = "made by the update key over these bytes"
        report.attempt("signature", lambda: verify(public_key), detail, STATUS_SIGNATURE)


def check_identity(report: ReportBuilder, found: Identity, device: Identity | None) -> None:
    """Compare vendor and class id with those of the device, if they are known."""
    if device is None:
        report.skip("vendor-id", "no device identity given")
        report.skip("class-id", "no device identity given")
        return
    for name, one, other, status in (
        ("vendor-id", found.vendor_id, device.vendor_id, STATUS_VENDOR_ID),
        ("class-id", found.class_id, device.class_id, STATUS_CLASS_ID),
    ):
        report.check(name, one == other, f"{one}, the device has {other}", status)


def warn_of_size(report: ReportBuilder, size: int, limit: int) -> None:
    """Warn of a manifest that the device installs from and cannot store."""
    report.warn_unless(
        "manifest-size",
        size <= limit,
        f"{size} bytes, the device stores up to {limit}",
        "an update that is interrupted by a reboot will not resume; shorten payload.url",
    )


def check_newer(
    report: ReportBuilder, number: int, installed: int | None, shown: Callable[[], str]
) -> None:
    """Check that a version is higher than the installed one.

    Args:
        report: takes the result.
        number: the version as the device compares it.
        installed: the installed one, if it is known.
        shown: says both to people.
    """
    if installed is None:
        report.skip("newer-version", "no installed version given")
    else:
        remedy = "give the new firmware a higher version"
        report.check("newer-version", number > installed, shown(), STATUS_VERSION, remedy)


def check_precursor(report: ReportBuilder, manifest: ManifestFields, image: bytes | None) -> None:
    """Check that a patch starts from the installed image, if there is a patch and it is known."""
    if manifest.precursor_digest is None:
        return
    if image is None:
        report.skip("precursor-digest", "no installed image given")
        return
    digest = sha256(image)
    report.check(
        "precursor-digest",
        manifest.precursor_digest == digest,
        f"{manifest.precursor_digest.hex()}, the installed image has {digest.hex()}",
        STATUS_PRECURSOR,
    )


def check_downloaded(report: ReportBuilder, manifest: ManifestFields, payload: bytes) -> None:
    """Compare a payload with what the manifest announces."""
    report.check(
        "payload-length",
        len(payload) == manifest.payload_size,
        f"{len(payload)} bytes, announced are {manifest.payload_size}",
        STATUS_LENGTH,
    )
    digest = sha256(payload)
    report.check(
        "payload-digest",
        digest == manifest.payload_digest,
        f"{digest.hex()}, announced is {manifest.payload_digest.hex()}",
        STATUS_DIGEST,
    )


def check_patch(
    report: ReportBuilder,
    manifest: ManifestFields,
    patch: bytes,
    image: bytes | None,
    device: PatchDevice,
) -> None:
    """Apply a patch to the installed image as the device does, if that is known."""
    if image is None:
        report.skip("patch-stream", "no installed image given")
        return
    from fotabuild.device.patch_acceptance import accept_patch

    report.extend(accept_patch(patch, image, manifest.image_digest, manifest.image_size, device))
