"""The whole way: build, boot, update on the emulated Cortex-M4, boot the result."""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import zlib
from pathlib import Path

import pytest

from fotabuild.config.loader import load_config
from fotabuild.delta.encoder import make_patch
from fotabuild.signing.certificate import public_key_of

from ..command import run_fotabuild
from .builds import Firmware
from .qemu import QemuResult, run_firmware

pytestmark = pytest.mark.qemu
DELTA = "1.0.0-to-1.1.0.patch"


def apply_on_device(firmware: Firmware, patch: bytes, folder: Path) -> QemuResult:
    """Let the running release 1.0.0 apply ``patch`` and write ``new.bin``."""
    (folder / "update.patch").write_bytes(patch)
    release = firmware.folder / "releases" / "thermometer-1.0.0.bin"
    return run_firmware(release, "apply", "update.patch", "new.bin", workdir=folder)


@pytest.mark.parametrize("version", ["1.0.0", "1.1.0"])
def test_boots_and_says_who_it_is(firmware: Firmware, version: str, tmp_path: Path) -> None:
    config = load_config(firmware.folder / "fotabuild.yaml", environ={})
    certificate = Path(config.project.credentials.certificate or "").read_bytes()
    key = public_key_of(certificate)
    for image in (firmware.elf(version), firmware.artifact(f"{version}.bin")):
        result = run_firmware(image, workdir=tmp_path)
        assert (result.status, result.stderr) == (0, "")
        assert result.uart.splitlines()[:5] == [
            f"fotabuild example {version}",
            f"vendor id {config.identity.vendor_id}",
            f"class id {config.identity.class_id}",
            f"update certificate: {len(certificate)} bytes, crc32 {zlib.crc32(certificate):08x}",
            f"update public key: 65 bytes, crc32 {zlib.crc32(key):08x}",
        ]
        assert "problem" not in result.uart
        assert ("filtered" in result.uart) == (version == "1.1.0")


def test_delta_becomes_the_new_image_byte_for_byte(firmware: Firmware, tmp_path: Path) -> None:
    result = apply_on_device(firmware, firmware.artifact(DELTA).read_bytes(), tmp_path)
    assert (result.status, result.stderr) == (0, "")
    new = (tmp_path / "new.bin").read_bytes()
    assert new == firmware.new
    digest = hashlib.sha256(new).hexdigest()
    assert f"update: ok, {len(new)} bytes, sha256 {digest}" in result.uart
    assert "fotabuild example 1.0.0" in result.uart

    booted = run_firmware(tmp_path / "new.bin", workdir=tmp_path)
    assert (booted.status, booted.stderr) == (0, "")
    assert booted.uart.startswith("fotabuild example 1.1.0\n")


def test_updated_device_takes_the_next_update(firmware: Firmware, tmp_path: Path) -> None:
    """What the delta made is a device that can apply deltas again, here back to 1.0.0."""
    (tmp_path / "running.bin").write_bytes(firmware.new)
    (tmp_path / "back.patch").write_bytes(make_patch(firmware.new, firmware.old).data)
    result = run_firmware(
        tmp_path / "running.bin", "apply", "back.patch", "old.bin", workdir=tmp_path
    )
    assert result.status == 0
    assert (tmp_path / "old.bin").read_bytes() == firmware.old


def damaged(patch: bytes) -> dict[str, bytes]:
    """One patch for each way to be wrong, by the name of the decoder's status."""
    return {
        "error_magic": patch[:15] + b"2" + patch[16:],
        "error_header": patch[:16] + bytes(8) + patch[24:],
        "error_block_too_large": patch[:25] + b"\x04" + patch[26:],
        "error_truncated": patch[:-1],
        "error_trailing": patch + b"\0",
        "error_varint": patch[:40] + b"\xff" * 8 + patch[40:],
        "error_frame_length": patch[:40] + b"\x01\x00\x00\x00",
        "error_output_overrun": patch[:40] + b"\xff\xff\xff\x01" + patch[41:],
        "error_largest_frame": patch[:32] + bytes([patch[32] ^ 1]) + patch[33:],
    }


@pytest.mark.parametrize("status", sorted(damaged(bytes(100))))
def test_damaged_patch_is_refused_and_leaves_no_image(
    firmware: Firmware, status: str, tmp_path: Path
) -> None:
    patch = damaged(firmware.artifact(DELTA).read_bytes())[status]
    result = apply_on_device(firmware, patch, tmp_path)
    assert result.status != 0
    assert re.search(rf"^update: {status} at patch byte \d+$", result.uart, re.MULTILINE)
    assert [path.name for path in tmp_path.iterdir()] == ["update.patch"]


def test_corrupt_frames_are_refused(firmware: Firmware, tmp_path: Path) -> None:
    """Every byte of a compressed frame set to a token that promises what does not follow."""
    patch = bytearray(firmware.artifact(DELTA).read_bytes())
    patch[60:90] = b"\xff" * 30
    result = apply_on_device(firmware, bytes(patch), tmp_path)
    assert result.status != 0
    assert "update: error_" in result.uart
    assert not (tmp_path / "new.bin").exists()


def test_patch_for_another_release_is_refused(firmware: Firmware, tmp_path: Path) -> None:
    """It takes bytes from behind the end of the installed image, where the other was longer."""
    longer = firmware.new + bytes(range(256)) * 4
    assert len(longer) > len(firmware.old)
    patch = make_patch(longer, longer[::-1][:10] + longer).data
    result = apply_on_device(firmware, patch, tmp_path)
    assert result.status != 0
    assert "update: error_old_range at patch byte " in result.uart
    assert not (tmp_path / "new.bin").exists()


@pytest.mark.parametrize(
    "arguments", [("apply",), ("apply", "update.patch"), ("apply", "a", "b", "c")]
)
def test_wrong_calls_of_the_self_test(
    firmware: Firmware, arguments: tuple[str, ...], tmp_path: Path
) -> None:
    release = firmware.folder / "releases" / "thermometer-1.0.0.bin"
    result = run_firmware(release, *arguments, workdir=tmp_path)
    assert (result.status, "usage: apply" in result.uart) == (64, True)
    missing = run_firmware(release, "apply", "none.patch", "new.bin", workdir=tmp_path)
    assert (missing.status, "cannot open the patch file" in missing.uart) == (65, True)
    assert list(tmp_path.iterdir()) == []


def test_host_refuses_the_delta_for_a_device_with_another_image(firmware: Firmware) -> None:
    """What the update client compares before it even downloads the patch."""
    manifest = firmware.artifact("1.0.0-to-1.1.0.manifest")
    common: list[str | Path] = [
        "manifest",
        "verify",
        manifest,
        "--payload",
        firmware.artifact(DELTA),
    ]
    release = firmware.folder / "releases" / "thermometer-1.0.0.bin"
    good = [*common, "--installed-version", "1.0.0", "--installed-image", release]
    assert run_fotabuild(*good, cwd=firmware.folder).status == 0
    other = [*common, "--installed-version", "1.0.0", "--installed-image"]
    done = run_fotabuild(*other, firmware.artifact("1.1.0.bin"), cwd=firmware.folder)
    assert (done.status, "failed   precursor-digest" in done.stdout) == (3, True)


def test_image_is_that_of_objcopy(firmware: Firmware, tmp_path: Path) -> None:
    """The flat image that we make of the linked firmware is what runs, and what objcopy makes."""
    objcopy = shutil.which("arm-none-eabi-objcopy") or shutil.which("llvm-objcopy")
    assert firmware.new.find(b"PELION/BSDIFF001") > 0
    if objcopy is not None:
        command = [objcopy, "-O", "binary", str(firmware.elf("1.1.0")), "new.bin"]
        subprocess.run(command, cwd=tmp_path, check=True)
        assert (tmp_path / "new.bin").read_bytes() == firmware.new


def test_build_leaves_everything_that_an_update_needs(firmware: Firmware) -> None:
    names = {path.name for path in (firmware.folder / "build" / "update").iterdir()}
    assert {
        f"thermometer-{name}"
        for name in (
            "1.1.0.bin",
            "1.1.0.manifest",
            "1.0.0-to-1.1.0.patch",
            "1.0.0-to-1.1.0.yaml",
            "1.0.0-to-1.1.0.manifest",
            "1.1.0.package.tar",
            "1.1.0.package.manifest",
        )
    } <= names
    assert not [name for name in names if name.endswith(".tmp")]
    assert len(firmware.artifact(DELTA).read_bytes()) < len(firmware.new) // 4
