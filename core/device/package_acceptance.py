"""What a device checks in a combined package (combined-package, section 5)."""

from __future__ import annotations

from fotabuild.device.profile import DeviceFeature, DeviceProfile
from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.errors import FotabuildError
from fotabuild.formats.combined_package import decode_package

_STATUS_FORMAT = -25
_STATUS_DESCRIPTOR = -46
_STATUS_COUNT = -47
_STATUS_NAME = -48
_STATUS_VENDOR_DATA = -49


def accept_package(package: bytes, profile: DeviceProfile) -> AcceptanceReport:
    """Check a package as a device with ``profile`` does, and stricter: sizes and names too."""
    report = ReportBuilder(enforced=profile.enforced)
    limits = profile.limits
    report.limit(
        "package-support",
        DeviceFeature.COMBINED in profile.features,
        "needs the feature combined",
        _STATUS_FORMAT,
        "add 'combined' to device.features if its client has sub-component support",
    )
    try:
        images = decode_package(package)
    except FotabuildError as error:
        report.check("package-structure", False, str(error), _STATUS_DESCRIPTOR)
        return report.build()
    report.check("package-structure", True, f"{len(images)} images, as described")
    report.limit(
        "package-images",
        len(images) == limits.sub_components,
        f"{len(images)} images, the device takes exactly {limits.sub_components}",
        _STATUS_COUNT,
        "set device.limits.sub-components to the device's FOTA_MAX_NUM_OF_SUB_COMPONENTS",
    )
    for image in images:
        report.limit(
            f"sub-component-name:{image.name}",
            len(image.name) <= limits.sub_component_name_size,
            f"{len(image.name)} bytes of at most {limits.sub_component_name_size}",
            _STATUS_NAME,
            "shorten the name, or raise device.limits.sub-component-name-size",
        )
        report.limit(
            f"sub-component-vendor-data:{image.name}",
            len(image.vendor_data) <= limits.sub_component_vendor_data_size,
            f"{len(image.vendor_data)} bytes of at most {limits.sub_component_vendor_data_size}",
            _STATUS_VENDOR_DATA,
            "shorten the vendor data, or raise device.limits.sub-component-vendor-data-size",
        )
        report.limit(
            f"sub-component-size:{image.name}",
            len(image.content) <= limits.image_size,
            f"{len(image.content)} bytes of at most {limits.image_size}",
            _STATUS_DESCRIPTOR,
        )
    return report.build()
