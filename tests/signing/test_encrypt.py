"""``fotabuild encrypt``, and what a device does with the three files."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fotabuild.cli.main import main
from fotabuild.device.manifest_acceptance import Device, accept_manifest
from fotabuild.device.profile import DeviceFeature, DeviceProfile
from fotabuild.device.report import Verdict
from fotabuild.digest import sha256
from fotabuild.formats.encrypted_payload import decrypt_payload, encode_key
from fotabuild.formats.manifest_v3 import PayloadFormat, decode_signed
from fotabuild.steps.manifest import ManifestStep

from ..conftest import VECTORS
from ..formats.golden import PUBLIC_KEY
from .scene import write_project

ENCRYPT = ("encrypt", "app.bin", "-v", "1.1.0", "-o", "app.enc")
DEVICE = Device(
    profile=DeviceProfile(features=frozenset(DeviceFeature)), public_key=PUBLIC_KEY.read_bytes()
)


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return tmp_path


def verdicts(manifest: bytes, payload: bytes) -> dict[str, Verdict]:
    report = accept_manifest(manifest, DEVICE, payload)
    return {result.name: result.verdict for result in report.results}


@pytest.mark.parametrize("element", [False, True])
def test_the_three_files_fit(
    element: bool, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["--json", *ENCRYPT, *(["--key-element"] if element else [])]) == 0
    stdout, stderr = capsys.readouterr()
    key_file = Path("app.enc.key")
    assert key_file.stat().st_mode & 0o777 == 0o600
    key = key_file.read_bytes()[-16:]
    assert key_file.read_bytes() == (encode_key(key) if element else key)
    data, manifest = Path("app.enc").read_bytes(), Path("app.enc.manifest").read_bytes()
    values = json.loads(stdout)["encryption"]
    assert (values["digest"], values["size"]) == (sha256(data).hex(), len(data))
    assert decrypt_payload(data, key) == Path("app.bin").read_bytes()
    signed = decode_signed(manifest)
    assert signed.manifest.payload_format is PayloadFormat.ENCRYPTED_RAW
    assert signed.manifest.payload_digest == sha256(data)
    assert signed.manifest.payload_uri == "https://fw.acme.com/app.enc"
    assert len(signed.manifest.installed_signature) == 64
    found = verdicts(manifest + encode_key(key), data)
    assert found["payload-decryption"] is Verdict.PASSED
    assert Verdict.FAILED not in found.values()
    assert key.hex() not in stdout + stderr + manifest.hex()


def test_a_package(project: Path) -> None:
    assert main(["package", "create", "--image", "app.bin", "-o", "p.tar"]) == 0
    options = ("encrypt", "p.tar", "--format", "encrypted-combined", "-v", "1.1.0")
    assert main([*options, "-o", "p.enc", "--key-output", "k", "--manifest-output", "m"]) == 0
    key = Path("k").read_bytes()
    assert decrypt_payload(Path("p.enc").read_bytes(), key) == Path("p.tar").read_bytes()
    # What is encrypted must be a package, which only shows inside.
    options = ("encrypt", "app.bin", "--format", "encrypted-combined", "-v", "1.1.0")
    assert main([*options, "-o", "x.enc"]) == 3
    assert not list(project.glob("x.enc*"))


def test_every_run_has_a_key_of_its_own_and_none_is_lost(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(ENCRYPT) == 0
    before = {path.name: path.read_bytes() for path in project.glob("app.enc*")}
    assert len(before) == 3
    assert main(ENCRYPT) == 1
    assert "there is a key already" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in project.glob("app.enc*")} == before
    assert main([*ENCRYPT, "--replace-key"]) == 0
    after = {path.name: path.read_bytes() for path in project.glob("app.enc*")}
    assert all(after[name] != before[name] for name in before)


def test_a_key_that_appears_meanwhile_is_kept(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two runs with one name for the key: the second loses, and touches nothing."""
    sign = ManifestStep.sign

    def sign_slowly(step: ManifestStep, payload: bytes) -> tuple[bytes, bytes]:
        Path("app.enc.key").write_bytes(b"of the other run")
        Path("app.enc").write_bytes(b"of the other run")
        return sign(step, payload)

    monkeypatch.setattr(ManifestStep, "sign", sign_slowly)
    assert main(ENCRYPT) == 1
    assert Path("app.enc.key").read_bytes() == b"of the other run"
    assert Path("app.enc").read_bytes() == b"of the other run"
    assert not Path("app.enc.manifest").exists()


@pytest.mark.parametrize("name", ["fotabuild.yaml", "key.pem", "cert.der"])
@pytest.mark.parametrize("option", ["-o", "--key-output", "--manifest-output"])
def test_nothing_of_the_project_is_overwritten(option: str, name: str, project: Path) -> None:
    before = Path(name).read_bytes()
    assert main([*ENCRYPT, "--replace-key", option, name]) == 1
    assert Path(name).read_bytes() == before


def test_a_device_without_the_ability_is_not_served(project: Path) -> None:
    assert main([*ENCRYPT, "--set", "device.features=delta"]) == 3
    assert not list(project.glob("app.enc*"))


@pytest.mark.parametrize("name", ["encrypted-raw", "encrypted-raw-signed", "encrypted-combined"])
def test_golden_manifests_with_their_payloads(name: str) -> None:
    manifest = (VECTORS / "v3" / f"{name}.manifest.bin").read_bytes()
    payload = "two.tar" if "combined" in name else "fw-1.1.0"
    data = (VECTORS / "payload" / f"{payload}.encrypted.bin").read_bytes()
    key = (VECTORS / "payload" / "TEST-ONLY-aes128.key.bin").read_bytes()
    assert verdicts(manifest, data)["payload-decryption"] is Verdict.SKIPPED
    found = verdicts(manifest + encode_key(key), data)
    assert found["payload-decryption"] is Verdict.PASSED
    assert found["installed-digest"] is found["installed-size"] is Verdict.PASSED
    wrong = verdicts(manifest + encode_key(bytes(16)), data)
    assert wrong["payload-decryption"] is Verdict.FAILED
    changed = verdicts(manifest + encode_key(key), data[:-1] + bytes([data[-1] ^ 1]))
    assert changed["payload-decryption"] is changed["payload-digest"] is Verdict.FAILED
