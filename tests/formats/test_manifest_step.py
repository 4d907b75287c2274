"""The step that signs a manifest: what it compares before it writes anything."""

from __future__ import annotations

import dataclasses
import shutil
from pathlib import Path

import pytest

from fotabuild.device.profile import DeviceFeature, DeviceLimits, DeviceProfile
from fotabuild.errors import (
    FotabuildError,
    KeyMismatchError,
    OutputConflictError,
    PatchError,
    SidecarError,
    VerificationError,
)
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.identity import Identity, parse_uuid
from fotabuild.formats.manifest_v3 import PayloadFormat, decode_signed
from fotabuild.steps.manifest import EncryptedPayload, ManifestStep
from fotabuild.steps.payload_manifest import DIGEST_PLACEHOLDER, Precursor

from ..conftest import VECTORS
from .golden import CERTIFICATE, KEY, OTHER_KEY, delta_images, firmware

PATCH = VECTORS / "delta" / "fw-1.0.0_to_fw-1.1.0_b512.bin"
OTHER_PATCH = VECTORS / "delta" / "fw-1.0.0_to_fw-1.0.1_b512.bin"
IDENTITY = Identity(
    parse_uuid("fa6b4a53d5ad5fdfbe9de663e4d41ffe"), parse_uuid("327c726ac6e54f7a82fbf1d3beda80f0")
)


@pytest.fixture
def step(tmp_path: Path) -> ManifestStep:
    """A manifest for a golden patch, with its golden side file."""
    shutil.copyfile(PATCH, tmp_path / "p.patch")
    shutil.copyfile(PATCH.with_suffix(".yaml"), tmp_path / "p.yaml")
    (tmp_path / "old.bin").write_bytes(delta_images(PATCH)[0])
    (tmp_path / "new.bin").write_bytes(delta_images(PATCH)[1])
    return ManifestStep(
        identity=IDENTITY,
        component="MAIN",
        priority=1,
        version=FirmwareVersion(1, 1, 0),
        url="https://a.b/p",
        payload_format=PayloadFormat.ARM_PATCH_STREAM,
        payload=tmp_path / "p.patch",
        sidecar=tmp_path / "p.yaml",
        precursor=Precursor(tmp_path / "old.bin", FirmwareVersion(1, 0, 0)),
        key=str(KEY),
        certificate=CERTIFICATE,
        profile=DeviceProfile(
            features=frozenset(DeviceFeature) - {DeviceFeature.SIGNED_IMAGE},
            limits=DeviceLimits(vendor_data_size=8),
        ),
        output=tmp_path / "out" / "m",
    )


def refused(step: ManifestStep, error: type[FotabuildError], problem: str) -> FotabuildError:
    with pytest.raises(error, match=problem) as caught:
        step.run()
    assert not step.output.exists()
    return caught.value


def raw(step: ManifestStep) -> ManifestStep:
    """The same for the whole image."""
    return dataclasses.replace(
        step,
        payload_format=PayloadFormat.RAW_BINARY,
        payload=step.payload.with_name("new.bin"),
        sidecar=None,
        precursor=None,
    )


def test_good_step(step: ManifestStep) -> None:
    assert step.run().summary.endswith("bytes, arm-patch-stream 1.1.0")
    first = step.output.read_bytes()
    assert decode_signed(first).manifest.installed_size == len(firmware("fw-1.1.0"))
    step.run()
    assert step.output.read_bytes() == first
    assert set(step.inputs) == {
        step.payload, step.sidecar, step.payload.with_name("old.bin"), KEY, CERTIFICATE,
    }  # fmt: skip


def test_side_file_of_another_patch_of_the_same_size_of_image(step: ManifestStep) -> None:
    """The golden side files have no patch digest; the patch is applied, which tells."""
    assert step.sidecar is not None
    old, new, _ = delta_images(PATCH)
    assert len(old) == 37330
    shutil.copyfile(OTHER_PATCH.with_suffix(".yaml"), step.sidecar)
    error = refused(step, SidecarError, "the patch makes 37951 bytes, this file says 37330")
    assert (error.file, error.field) == (step.sidecar, "installed-size")
    spoilt = PATCH.with_suffix(".yaml").read_text(encoding="ascii")
    lines = spoilt.splitlines()
    other = OTHER_PATCH.with_suffix(".yaml").read_text(encoding="ascii").splitlines()
    # The digest of another new image with the size of this one.
    step.sidecar.write_text("\n".join([other[0], other[1], *lines[2:]]) + "\n", encoding="ascii")
    refused(step, VerificationError, "installed-digest")
    assert len(new) == 37951


def test_side_file_with_the_digest_of_another_patch(step: ManifestStep) -> None:
    assert step.sidecar is not None
    text = step.sidecar.read_text(encoding="ascii")
    digest = "A" * 43 + "="
    step.sidecar.write_text(f"{text}patch-digest: {digest}\npatch-size: 5447\n", encoding="ascii")
    error = refused(step, SidecarError, "describes another patch than p.patch")
    assert (error.file, error.field) == (step.sidecar, "patch-digest")


def test_missing_side_file(step: ManifestStep) -> None:
    assert step.sidecar is not None
    step.sidecar.unlink()
    assert refused(step, FotabuildError, "side file").file == step.sidecar


def test_payload_that_is_no_patch(step: ManifestStep) -> None:
    step.payload.write_bytes(b"no patch" * 10)
    assert refused(step, PatchError, "not a patch of format").file == step.payload


def test_patch_for_another_release(step: ManifestStep) -> None:
    step.payload.with_name("old.bin").write_bytes(firmware("fw-1.2.0"))
    refused(step, VerificationError, "precursor-digest")


def test_damaged_patch(step: ManifestStep) -> None:
    """Without a patch digest in the side file, applying it tells."""
    data = step.payload.read_bytes()
    step.payload.write_bytes(data[:-1])
    refused(step, VerificationError, "patch-stream")


def test_version_that_is_not_newer(step: ManifestStep) -> None:
    refused(
        dataclasses.replace(step, version=FirmwareVersion(1, 0, 0)),
        VerificationError,
        "newer-version: 1.0.0 over 1.0.0",
    )


def test_key_and_certificate_of_two_pairs(step: ManifestStep) -> None:
    error = refused(dataclasses.replace(step, key=str(OTHER_KEY)), KeyMismatchError, "not of the")
    assert error.file == CERTIFICATE
    assert "refuse every update" in (error.remedy or "")


def test_without_a_certificate_any_key_signs(step: ManifestStep) -> None:
    dataclasses.replace(step, key=str(OTHER_KEY), certificate=None).run()
    assert step.output.exists()


def test_vendor_data_of_every_size(step: ManifestStep) -> None:
    path = step.payload.with_name("vendor")
    for content in (b"", b"12345678"):
        path.write_bytes(content)
        dataclasses.replace(raw(step), vendor_data=path).run()
        assert decode_signed(step.output.read_bytes()).manifest.vendor_data == content
    step.output.unlink()
    path.write_bytes(b"123456789")
    refused(dataclasses.replace(raw(step), vendor_data=path), VerificationError, "vendor-data: 9")


def test_empty_payload(step: ManifestStep) -> None:
    """Weakness C6."""
    empty = raw(step)
    empty.payload.write_bytes(b"")
    refused(empty, VerificationError, "payload-not-empty")


def test_digest_in_the_url_of_an_encrypted_payload_is_that_of_the_download(
    step: ManifestStep,
) -> None:
    encrypted = dataclasses.replace(
        raw(step),
        payload_format=PayloadFormat.ENCRYPTED_RAW,
        encrypted=EncryptedPayload(bytes(range(32)), 38255),
        url=f"https://a.b/{DIGEST_PLACEHOLDER}",
    )
    encrypted.run()
    found = decode_signed(step.output.read_bytes()).manifest
    assert found.payload_uri == f"https://a.b/{bytes(range(32)).hex()}"
    assert (found.payload_size, found.installed_size) == (38255, 37951)


@pytest.mark.parametrize("name", ["p.patch", "p.yaml", "old.bin"])
def test_inputs_are_not_overwritten(name: str, step: ManifestStep) -> None:
    path = step.payload.with_name(name)
    before = path.read_bytes()
    with pytest.raises(OutputConflictError):
        dataclasses.replace(step, output=path).run()
    assert path.read_bytes() == before


def test_manifest_that_the_device_cannot_store_is_a_warning(step: ManifestStep) -> None:
    long = dataclasses.replace(step, url="https://" + "u" * 247, sign_image=True)
    (warning,) = long.run().warnings
    assert warning.startswith("manifest-size: ")
