"""We accept every manifest that manifest-tool makes of random configurations of ours."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fotabuild.cli.main import main
from fotabuild.config.loader import load_config
from fotabuild.device.manifest_acceptance import Device, accept_manifest
from fotabuild.device.profile import DeviceProfile
from fotabuild.device.report import Verdict
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.manifest_v3 import decode_signed, encode_manifest

from .cases import random_config, write_config
from .conftest import Tally
from .peer import run_peer

pytestmark = pytest.mark.peer
SEEDS = range(40)


@pytest.mark.parametrize("seed", SEEDS)
def test_accepted_and_equal_to_ours(
    seed: int, payloads: Path, tmp_path: Path, tally: Tally
) -> None:
    values, version = random_config(seed)
    file = write_config(payloads, values)
    theirs, ours = tmp_path / "their.manifest", tmp_path / "our.manifest"
    options = ("-c", file, "-k", "key.pem", "-v", version, "-o", theirs)
    with tally.count("of its manifests accepted, and equal to ours"):
        assert run_peer("manifest-tool", "create", *options, cwd=payloads).status == 0
        accepted(theirs.read_bytes(), file, payloads)
        key = f"--key={payloads / 'key.pem'}"
        create = ["-q", "manifest", "create", f"--config={file}", key, f"--fw-version={version}"]
        assert main([*create, f"--output={ours}"]) == 0
        equal(ours.read_bytes(), theirs.read_bytes())


def accepted(manifest: bytes, file: Path, payloads: Path) -> None:
    """The device that the configuration describes installs it over an older image."""
    config = load_config(file, environ={})
    profile = DeviceProfile(
        features=frozenset(config.project.device.features), limits=config.project.device.limits
    )
    device = Device(
        profile=profile,
        public_key=(payloads / "pub.bin").read_bytes(),
        identity=config.identity,
        installed_version=FirmwareVersion(0, 0, 0),
        installed_image=(payloads / "old.bin").read_bytes(),
    )
    payload = config.project.payload
    assert payload.format is not None
    encrypted = payload.format.encrypted
    content = None if encrypted else Path(payload.file_path or "").read_bytes()
    report = accept_manifest(manifest, device, content)
    report.require()
    skipped = {result.name for result in report.results if result.verdict is Verdict.SKIPPED}
    assert skipped == ({"encryption-key", "payload"} if encrypted else set())


def equal(ours: bytes, theirs: bytes) -> None:
    """Byte for byte, but for the image signature, which is random on their side."""
    mine, other = decode_signed(ours), decode_signed(theirs)
    aligned = dataclasses.replace(
        mine.manifest, installed_signature=other.manifest.installed_signature
    )
    assert encode_manifest(aligned) == other.signed_bytes
    assert bool(mine.manifest.installed_signature) == bool(other.manifest.installed_signature)


def test_random_configurations_reach_everything() -> None:
    """The seeds cover each format with and without signature, and the edges of the lengths."""
    configs = [random_config(seed)[0] for seed in SEEDS]
    assert {(c["payload"]["format"], "sign-image" in c) for c in configs} == {
        (payload_format, signed)
        for payload_format in (
            "raw-binary", "arm-patch-stream", "combined", "encrypted-raw", "encrypted-combined",
        )
        for signed in (True, False)
    }  # fmt: skip
    assert {255, 128, 127} <= {len(c["payload"]["url"].encode()) for c in configs}
    assert {"domain" in c["vendor"] for c in configs} == {True, False}
    assert {"component" in c for c in configs} == {True, False}
    assert len({c["vendor"].get("custom-data-path") for c in configs}) == 4
    assert {0, 2**31 - 1} <= {c["priority"] for c in configs}
