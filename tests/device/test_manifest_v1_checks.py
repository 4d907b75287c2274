"""Each check of both older clients: passes on a good v1 manifest, fails on one spoilt point."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from fotabuild.device.manifest_acceptance import Device
from fotabuild.device.manifest_v1_acceptance import accept_manifest_v1
from fotabuild.device.profile import DeviceFeature, DeviceLimits, DeviceProfile, UpdateClient
from fotabuild.device.report import CheckResult, Verdict
from fotabuild.digest import sha256
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.manifest_v1 import encode_resource, encode_signed
from fotabuild.signing.der_signature import raw_to_der

from ..formats.golden import CERTIFICATE, PUBLIC_KEY
from .scenes import IDENTITY, NEW, OLD, SIGNER
from .scenes_v1 import GOOD, delta, sign

DEVICE = Device(
    public_key=PUBLIC_KEY.read_bytes(),
    identity=IDENTITY,
    installed_timestamp=1_600_000_000,
    installed_image=OLD,
    certificate=CERTIFICATE.read_bytes(),
)


def on(client: UpdateClient | None, *features: DeviceFeature, **limits: int) -> Device:
    profile = DeviceProfile(
        features=frozenset(features), limits=DeviceLimits(**limits), client=client
    )
    return dataclasses.replace(DEVICE, profile=profile)


def results(data: bytes, device: Device, payload: bytes | None = NEW) -> dict[str, CheckResult]:
    return {result.name: result for result in accept_manifest_v1(data, device, payload).results}


@pytest.mark.parametrize("client", [*UpdateClient, None])
def test_good_manifests_pass_every_check(client: UpdateClient | None) -> None:
    manifest, content = delta()
    for data, payload in ((sign(GOOD), NEW), (sign(manifest), content)):
        found = results(data, on(client, DeviceFeature.DELTA), payload)
        assert {result.verdict for result in found.values()} == {Verdict.PASSED}
        assert any(name.startswith("hub-") for name in found) == (client is not UpdateClient.FOTA)


@pytest.mark.parametrize(
    ("name", "status", "changes"),
    [
        ("timestamp", -22, {"timestamp": 2**63}),
        ("newer-version", -27, {"timestamp": 1_600_000_000}),
        ("vendor-info", -29, {"vendor_info": b"x"}),
        ("priority", -22, {"priority": 2**31}),
        ("payload-uri", -21, {"payload_uri": "http://a/" + "x" * 247}),
        ("payload-size", -22, {"payload_size": 2**31}),
        ("payload-not-empty", None, {"payload_size": 0}),
        ("payload-length", -84, {"payload_size": 5}),
        ("payload-digest", -26, {"payload_digest": bytes(32)}),
        ("hub-uri-scheme", None, {"payload_uri": "https://updates.example.com/a"}),
        ("hub-uri-scheme", None, {"payload_uri": "updates.example.com/a"}),
        ("hub-encryption-mode", None, {"encryption_mode": 3}),
        ("hub-manifest-size", None, {"vendor_info": bytes(400)}),
    ],
)
def test_each_check_fails_alone(name: str, status: int | None, changes: dict[str, Any]) -> None:
    limit = 0 if name == "vendor-info" else 400
    device = on(UpdateClient.HUB, DeviceFeature.DELTA, vendor_data_size=limit)
    found = results(sign(dataclasses.replace(GOOD, **changes)), device)[name]
    assert (found.verdict, found.device_status) == (Verdict.FAILED, status)


@pytest.mark.parametrize(
    ("client", "verdict"),
    [(UpdateClient.HUB, Verdict.FAILED), (None, Verdict.WARNING), (UpdateClient.FOTA, None)],
)
def test_the_older_client_alone_refuses_https(
    client: UpdateClient | None, verdict: Verdict | None
) -> None:
    data = sign(dataclasses.replace(GOOD, payload_uri="https://example.com/a"))
    found = results(data, on(client, DeviceFeature.DELTA)).get("hub-uri-scheme")
    assert (found and found.verdict) == verdict


def test_size_limits_are_617_and_640_bytes() -> None:
    def sized(size: int) -> bytes:
        """A manifest of that size; the length of the signature varies, so some are tried."""
        near = size - len(sign(GOOD))
        candidates = (
            sign(dataclasses.replace(GOOD, vendor_info=bytes([first]) + bytes(near - less)))
            for first in range(20)
            for less in range(14)
        )
        return next(data for data in candidates if len(data) == size)

    def verdicts_of(data: bytes) -> tuple[Verdict, Verdict]:
        found = results(data, on(None, DeviceFeature.DELTA, vendor_data_size=600))
        return found["manifest-size"].verdict, found["hub-manifest-size"].verdict

    assert verdicts_of(sized(617)) == (Verdict.PASSED, Verdict.PASSED)
    assert verdicts_of(sized(618)) == (Verdict.WARNING, Verdict.PASSED)
    assert verdicts_of(sized(640)) == (Verdict.WARNING, Verdict.PASSED)
    assert verdicts_of(sized(641)) == (Verdict.WARNING, Verdict.WARNING)
    found = results(sign(GOOD), on(None))
    assert found["manifest-size"].detail.endswith("542")


def test_block_size_above_512_is_for_newer_devices() -> None:
    manifest, content = delta(1024)
    device = on(None, DeviceFeature.DELTA, patch_memory=2048)
    assert results(sign(manifest), device, content)["hub-block-size"].verdict is Verdict.WARNING
    device = on(UpdateClient.HUB, DeviceFeature.DELTA, patch_memory=2048)
    assert results(sign(manifest), device, content)["hub-block-size"].verdict is Verdict.FAILED


def test_without_delta_no_patch_and_no_priority_on_the_older_client() -> None:
    manifest, content = delta()
    found = results(sign(manifest), on(UpdateClient.HUB), content)
    assert found["payload-format"].device_status == -25
    data = sign(dataclasses.replace(GOOD, priority=0))
    assert results(data, on(UpdateClient.HUB))["hub-priority"].verdict is Verdict.FAILED
    assert results(sign(GOOD), on(UpdateClient.HUB))["hub-priority"].verdict is Verdict.PASSED


def test_digest_and_fingerprint_matter_to_the_older_client() -> None:
    data = sign(GOOD)
    digest, fingerprint = sha256(encode_resource(GOOD)), sha256(CERTIFICATE.read_bytes())
    for name, value in (("hub-resource-hash", digest), ("hub-fingerprint", fingerprint)):
        assert data.count(value) == 1
        found = results(data.replace(value, bytes(32)), on(UpdateClient.HUB))
        assert found[name].verdict is Verdict.FAILED
        assert found["signature"].verdict is Verdict.PASSED


def test_signature_of_other_bytes_or_no_der() -> None:
    other = raw_to_der(SIGNER.sign(b"other"))
    for signature in (other, b"", bytes(64)):
        data = encode_signed(GOOD, signature, sha256(CERTIFICATE.read_bytes()))
        found = results(data, DEVICE)["signature"]
        assert (found.verdict, found.device_status) == (Verdict.FAILED, -23)


def test_identity_of_another_device() -> None:
    swapped = dataclasses.replace(
        IDENTITY, vendor_id=IDENTITY.class_id, class_id=IDENTITY.vendor_id
    )
    found = results(sign(dataclasses.replace(GOOD, identity=swapped)), DEVICE)
    assert (found["vendor-id"].device_status, found["class-id"].device_status) == (-30, -31)


def test_semantic_version_is_newer_than_every_time_stamp() -> None:
    number = FirmwareVersion(0, 0, 1).to_device_number()
    found = results(sign(dataclasses.replace(GOOD, timestamp=number)), DEVICE)
    assert found["newer-version"].verdict is Verdict.PASSED
    device = dataclasses.replace(DEVICE, installed_version=FirmwareVersion(0, 0, 1))
    assert results(sign(GOOD), device)["newer-version"].verdict is Verdict.FAILED


def test_patch_of_another_image() -> None:
    manifest, content = delta()
    data = sign(dataclasses.replace(manifest, precursor_digest=bytes(32)))
    found = results(data, DEVICE, content)
    assert found["precursor-digest"].device_status == -32


def test_what_is_unknown_is_skipped() -> None:
    manifest, content = delta()
    found = results(sign(manifest), Device(), content)
    skipped = {name for name, result in found.items() if result.verdict is Verdict.SKIPPED}
    assert skipped == {
        "signature",
        "vendor-id",
        "class-id",
        "hub-fingerprint",
        "newer-version",
        "precursor-digest",
        "patch-stream",
    }
    assert results(sign(GOOD), Device(), None)["payload"].verdict is Verdict.SKIPPED


def test_not_a_manifest() -> None:
    found = results(b"\x30\x00", DEVICE)
    assert list(found) == ["manifest-structure"]
    assert found["manifest-structure"].device_status == -22
