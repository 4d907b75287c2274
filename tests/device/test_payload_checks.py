"""Checks of a patch, a package and the update resources for themselves."""

from __future__ import annotations

import dataclasses

import pytest

from fotabuild.device.package_acceptance import accept_package
from fotabuild.device.patch_acceptance import accept_patch
from fotabuild.device.profile import DeviceFeature, DeviceLimits, DeviceProfile
from fotabuild.device.report import AcceptanceReport
from fotabuild.device.resources_acceptance import accept_resources
from fotabuild.digest import sha256
from fotabuild.formats.combined_package import encode_package
from fotabuild.formats.update_resources import UpdateResources

from ..formats.golden import CERTIFICATE, PUBLIC_KEY
from .scenes import IDENTITY, IMAGES, NEW, OLD, patch

PROFILE = DeviceProfile(features=frozenset(DeviceFeature))
NONE = DeviceProfile(features=frozenset())
RESOURCES = UpdateResources(IDENTITY, CERTIFICATE.read_bytes(), PUBLIC_KEY.read_bytes())


def failed(report: AcceptanceReport) -> list[tuple[str, int | None]]:
    return [(result.name, result.device_status) for result in report.failures]


def test_patch() -> None:
    assert failed(accept_patch(patch(), OLD, sha256(NEW), len(NEW), PROFILE.patch_device)) == []
    assert failed(accept_patch(patch(), OLD, sha256(NEW), len(NEW), NONE.patch_device)) == [
        ("patch-support", -25)
    ]
    other = accept_patch(patch(), NEW, sha256(NEW), len(NEW), PROFILE.patch_device)
    assert [name for name, _ in failed(other)] in (["installed-digest"], ["patch-stream"])


@pytest.mark.parametrize("chunk", [1, 3, 512, 1024, 1 << 20])
def test_patch_arrives_in_pieces_of_the_network(chunk: int) -> None:
    profile = DeviceProfile(limits=DeviceLimits(network_chunk=chunk))
    assert failed(accept_patch(patch(), OLD, sha256(NEW), len(NEW), profile.patch_device)) == []


def test_package() -> None:
    package = encode_package(IMAGES)
    assert failed(accept_package(package, PROFILE)) == []
    assert failed(accept_package(package, NONE)) == [("package-support", -25)]


@pytest.mark.parametrize(
    ("limits", "check", "names", "status"),
    [
        (DeviceLimits(sub_components=3), "package-images", [""], -47),
        (DeviceLimits(sub_component_name_size=3), "sub-component-name", [":sub1", ":sub2"], -48),
        (
            DeviceLimits(sub_component_vendor_data_size=3),
            "sub-component-vendor-data",
            [":sub1", ":sub2"],
            -49,
        ),
        (DeviceLimits(image_size=507), "sub-component-size", [":sub1"], -46),
        (DeviceLimits(image_size=506), "sub-component-size", [":sub1", ":sub2"], -46),
    ],
)
def test_package_for_smaller_devices(
    limits: DeviceLimits, check: str, names: list[str], status: int
) -> None:
    profile = DeviceProfile(features=PROFILE.features, limits=limits)
    assert failed(accept_package(encode_package(IMAGES), profile)) == [
        (check + name, status) for name in names
    ]


def test_resources() -> None:
    report = accept_resources(RESOURCES.encode(), RESOURCES, PROFILE)
    assert failed(report) == []
    assert {result.name for result in report.results} == {
        "certificate-size", "vendor-id", "class-id", "certificate", "public-key",
    }  # fmt: skip


def test_certificate_that_would_overrun_the_device() -> None:
    size = len(RESOURCES.certificate)
    for limit, failures in ((size, []), (size - 1, [("certificate-size", None)])):
        profile = DeviceProfile(limits=DeviceLimits(certificate_size=limit))
        assert failed(accept_resources(RESOURCES.encode(), RESOURCES, profile)) == failures


@pytest.mark.parametrize(
    ("symbol", "check"),
    [
        ("arm_uc_vendor_id", "vendor-id"),
        ("arm_uc_class_id", "class-id"),
        ("arm_uc_default_certificate", "resources-source"),
        ("arm_uc_update_public_key", "public-key"),
    ],
)
def test_source_with_another_value(symbol: str, check: str) -> None:
    text = RESOURCES.encode().decode()
    start = text.index("0x", text.index(f"{symbol}[]"))
    for spoilt in (
        text[:start] + "0x77" + text[start + 4 :],
        text.replace(f"{symbol}[]", f"{symbol}_[]"),
    ):
        found = failed(accept_resources(spoilt.encode(), RESOURCES, PROFILE))
        assert found == [(check, None)]


def test_source_of_another_certificate() -> None:
    """A valid certificate, and not the one that was asked for."""
    from fotabuild.signing.certificate import make_self_signed
    from fotabuild.signing.pem import PemSigner

    signer = PemSigner.generate()
    other = dataclasses.replace(
        RESOURCES,
        certificate=make_self_signed(signer.to_pem(), 0),
        public_key=signer.public_key(),
    )
    report = accept_resources(other.encode(), RESOURCES, PROFILE)
    assert failed(report) == [("certificate", None)]
