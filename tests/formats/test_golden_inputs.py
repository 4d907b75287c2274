"""The golden input files of the real tool, unchanged, give the golden signed bytes."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fotabuild.cli.main import main
from fotabuild.formats.manifest_v3 import decode_signed, encode_manifest
from fotabuild.signing.verify import verify, verify_digest

from ..conftest import VECTORS
from .golden import CERTIFICATE, KEY, MANIFESTS, PKCS8_KEY, PUBLIC_KEY, golden_name, version_of

# Some golden manifests are beyond the device's limits, which our steps check.
DEVICE = {
    "device.features": "delta,combined,encrypted",
    "device.limits.component-name-size": "9",
    "device.limits.uri-size": "256",
    "device.limits.priority": str(2**31),
    "device.limits.vendor-data-size": "200",
}
JSON = "raw-json"
RAISED = tuple(f"--set={key}={value}" for key, value in DEVICE.items())


def lay_out(schema: str, folder: Path) -> Path:
    """Put the inputs where their relative paths, meant for a working folder, lead to the files."""
    for name in ("delta", "firmware", "package"):
        (folder / name).symlink_to(VECTORS / name)
    (folder / schema).mkdir()
    for path in (VECTORS / schema).glob("*"):
        target = folder if path.suffix in (".yaml", ".json") else folder / schema
        (target / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.fixture(scope="module")
def golden_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return lay_out("v3", tmp_path_factory.mktemp("golden"))


def test_every_golden_input_is_used(golden_folder: Path) -> None:
    inputs = {path.stem for path in golden_folder.glob("*.yaml")}
    assert inputs == {golden_name(path) for path in MANIFESTS} - {JSON}
    assert len(inputs) == 25


@pytest.mark.parametrize("device", [RAISED, ("--profile=none",)], ids=["raised", "none"])
@pytest.mark.parametrize("golden", MANIFESTS, ids=golden_name)
def test_same_signed_bytes(
    golden: Path, device: tuple[str, ...], golden_folder: Path, tmp_path: Path
) -> None:
    name = golden_name(golden)
    config = golden_folder / ("raw.json" if name == JSON else f"{name}.yaml")
    output = tmp_path / "our.manifest"
    arguments = [f"--config={config}", f"--key={PKCS8_KEY if name == JSON else KEY}"]
    arguments += [f"--update-certificate={CERTIFICATE}", f"--output={output}"]
    arguments += [f"--fw-version={version_of(name)}"]
    assert main(["--quiet", "manifest", "create", *arguments, *device]) == 0

    ours, theirs = decode_signed(output.read_bytes()), decode_signed(golden.read_bytes())
    public_key = PUBLIC_KEY.read_bytes()
    verify(public_key, ours.signed_bytes, ours.signature)
    if not theirs.manifest.installed_signature:
        assert ours.signed_bytes == theirs.signed_bytes
        return
    # The real tool signs with random numbers: all but the 64 bytes of the signature is the same.
    verify_digest(public_key, ours.manifest.image_digest, ours.manifest.installed_signature)
    same = dataclasses.replace(
        ours.manifest, installed_signature=theirs.manifest.installed_signature
    )
    assert encode_manifest(same) == theirs.signed_bytes


@pytest.mark.parametrize(
    ("name", "setting", "check"),
    [
        ("raw-component-9", "device.limits.component-name-size", "component-name"),
        ("raw-prio-2pow31", "device.limits.priority", "update-priority"),
        ("raw-url256", "device.limits.uri-size", "payload-uri"),
        ("raw-vendor-data", "device.limits.vendor-data-size", "vendor-data"),
        ("combined", "device.features", "payload-format"),
        ("encrypted-raw", "device.features", "payload-format"),
    ],
)
def test_what_real_devices_refuse_is_not_signed(
    name: str,
    setting: str,
    check: str,
    golden_folder: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With the default of one limit, and all others raised, the manifest of the tool is refused."""
    output = tmp_path / "our.manifest"
    arguments = [f"--config={golden_folder / name}.yaml", f"--key={KEY}", f"--output={output}"]
    arguments += [f"--fw-version={version_of(name)}"]
    arguments += [f"--set={key}={value}" for key, value in DEVICE.items() if key != setting]
    assert main(["manifest", "create", *arguments]) == 3
    assert f"a device would refuse this: {check}:" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
