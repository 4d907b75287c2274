"""Checks that need something unknown are skipped and say so; warnings do not refuse."""

from __future__ import annotations

import dataclasses

from fotabuild.device.manifest_acceptance import Device
from fotabuild.device.profile import DeviceLimits
from fotabuild.device.report import AcceptanceReport, Verdict

from .scenes import DEVICE, combined, delta, encrypted, raw


def skipped(report: AcceptanceReport) -> set[str]:
    assert report.accepted
    return {result.name for result in report.results if result.verdict is Verdict.SKIPPED}


def test_a_device_of_which_nothing_is_known() -> None:
    unknown = Device(profile=DEVICE.profile)
    scene = dataclasses.replace(delta().delivering(None), device=unknown)
    assert skipped(scene.report()) == {
        "signature",
        "vendor-id",
        "class-id",
        "newer-version",
        "precursor-digest",
        "payload",
    }
    assert all(r.detail for r in scene.report().results if r.verdict is Verdict.SKIPPED)


def test_patch_without_the_installed_image() -> None:
    report = delta().on(installed_image=None).report()
    assert skipped(report) == {"precursor-digest", "patch-stream"}


def test_encrypted_manifest_before_the_service_added_its_key() -> None:
    scene = dataclasses.replace(encrypted(), appended=b"")
    assert skipped(scene.report()) == {"encryption-key", "payload-decryption"}


def test_manifest_that_the_device_cannot_store_is_a_warning() -> None:
    long = raw().change(payload_uri="https://" + "u" * 247).signed_image()
    assert long.report().warnings == ()
    longer = delta().change(payload_uri="https://" + "u" * 247).signed_image()
    assert len(longer.data) > 503
    (warning,) = longer.report().warnings
    assert (warning.name, warning.device_status) == ("manifest-size", None)
    assert longer.report().accepted
    assert "will not resume" in warning.remedy


def test_room_for_vendor_data_counts_for_the_manifest() -> None:
    assert DeviceLimits().manifest_size == 503
    assert DeviceLimits(vendor_data_size=100).manifest_size == 503 + 4 + 100
    scene = (
        raw()
        .limited(vendor_data_size=200)
        .change(vendor_data=bytes(200), payload_uri="https://" + "u" * 247)
    )
    assert scene.report().warnings == ()


def test_the_golden_longest_values_are_accepted() -> None:
    scene = raw().change(
        component_name="ABCDEFGH",
        update_priority=2**31 - 1,
        payload_version="999.999.999",
        payload_uri="u" * 255,
    )
    assert skipped(scene.report()) == set()
    assert skipped(combined().report()) == set()
