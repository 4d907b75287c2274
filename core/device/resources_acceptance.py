"""What a device does with the update resources compiled into it (update-resources-c, section 3)."""

from __future__ import annotations

from fotabuild.device.profile import DeviceProfile
from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.errors import FotabuildError
from fotabuild.formats.update_resources import UpdateResources, decode_arrays
from fotabuild.signing.certificate import public_key_of


def accept_resources(
    source: bytes, expected: UpdateResources, profile: DeviceProfile
) -> AcceptanceReport:
    """Check a generated C source against the values that it must carry."""
    report = ReportBuilder(enforced=profile.enforced)
    limit = profile.limits.certificate_size
    report.limit(
        "certificate-size",
        len(expected.certificate) <= limit,
        f"{len(expected.certificate)} bytes, the device copies at most {limit}",
        remedy="use a smaller certificate, or raise device.limits.certificate-size together with "
        "FOTA_CERT_MAX_SIZE of the firmware",
    )
    try:
        arrays = decode_arrays(source)
        key = public_key_of(arrays["arm_uc_default_certificate"])
    except (FotabuildError, KeyError) as error:
        report.check("resources-source", False, f"cannot be read back: {error}")
        return report.build()
    for name, symbol, value in (
        ("vendor-id", "arm_uc_vendor_id", expected.identity.vendor_id.bytes),
        ("class-id", "arm_uc_class_id", expected.identity.class_id.bytes),
        ("certificate", "arm_uc_default_certificate", expected.certificate),
        ("public-key", "arm_uc_update_public_key", key),
    ):
        report.check(name, arrays.get(symbol) == value, f"value of {symbol}")
    return report.build()
