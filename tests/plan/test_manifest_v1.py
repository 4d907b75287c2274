"""v1 manifests as builds and commands make them: golden bytes, versions, priority, refusals."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from fotabuild.config.loader import load_config
from fotabuild.errors import ConfigError, FotabuildError, KeyMismatchError, VerificationError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.manifest_v1 import SignedManifestV1, decode_signed
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.plan.make import StepMaker
from fotabuild.plan.plan import make_plan
from fotabuild.plan.runner import run_plan
from fotabuild.steps.description import describe_step, step_from_description

from ..command import run_fotabuild
from ..conftest import VECTORS, peer_folder
from ..formats.golden import CERTIFICATE, KEY, OTHER_KEY, firmware, golden_name
from ..formats.test_manifest_v1_golden import GOLDEN, every
from .conftest import COMPLETE, MakeConfig, complete_build, prepare

_VERSIONS = {
    "raw-prio0": 1,
    "raw-migrate": FirmwareVersion(1, 2, 3).to_device_number(),
    "raw-migrate-max": FirmwareVersion(999, 999, 999).to_device_number(),
    "patch-prio-migrate": FirmwareVersion(1, 1, 0).to_device_number(),
}


def project(folder: Path, golden: Path | None = None, **changes: Any) -> StepMaker:
    """The project of a golden configuration, with all its paths made absolute."""
    source = (golden or GOLDEN[-1]).with_name(f"{golden_name(golden or GOLDEN[-1])}.yaml")
    values = yaml.safe_load(source.read_bytes())
    payload = values.pop("payload")
    values["payload"] = {"url": payload["url"]}
    data = values["vendor"].pop("custom-data-path", None)
    if data:
        values["vendor"]["custom-data-path"] = str(VECTORS / data)
        values["device"]["limits"] = {"vendor-data-size": 1024}
    values["credentials"] = {"key": str(KEY), "certificate": str(CERTIFICATE)}
    values.update(changes)
    path = folder / "fotabuild.yaml"
    path.write_text(json.dumps(values), encoding="utf-8")
    return StepMaker(load_config(path, environ={}))


def make(maker: StepMaker, output: Path, golden: Path, timestamp: int) -> SignedManifestV1:
    patch = golden_name(golden).startswith("patch")
    payload = "delta/fw-1.0.0_to_fw-1.1.0_b512.bin" if patch else "firmware/fw-1.1.0.bin"
    kind = PayloadFormat.ARM_PATCH_STREAM if patch else PayloadFormat.RAW_BINARY
    maker.manifest_v1(VECTORS / payload, kind, timestamp, output).run()
    return decode_signed(output.read_bytes())


@every
def test_same_signed_bytes_as_the_real_tool(path: Path, tmp_path: Path) -> None:
    golden, expected = path, decode_signed(path.read_bytes())
    name = golden_name(golden)
    number = _VERSIONS.get(name, 1_700_000_000)
    if name == "raw-version0":  # It took the time of that day for its zero.
        number = expected.manifest.timestamp
    output = tmp_path / "out.manifest"
    found = make(project(tmp_path, golden), output, golden, number)
    assert found.signed_bytes == expected.signed_bytes
    assert (found.digest, found.fingerprint) == (expected.digest, expected.fingerprint)


def test_twice_the_same_bytes(tmp_path: Path) -> None:
    maker = project(tmp_path)
    one, other = tmp_path / "one", tmp_path / "other"
    for output in (one, other):
        make(maker, output, GOLDEN[-1], 7)
    assert one.read_bytes() == other.read_bytes()


def test_priority_is_written_only_when_it_is_given(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    given = project(tmp_path / "a", priority=0)
    assert make(given, tmp_path / "out", GOLDEN[-1], 7).manifest.priority == 0
    absent = project(tmp_path, VECTORS / "v1" / "raw-noprio.manifest.bin")
    assert make(absent, tmp_path / "out", GOLDEN[-1], 7).manifest.priority is None


@pytest.mark.parametrize(
    ("changes", "error", "message"),
    [
        ({"credentials": {"key": str(KEY)}}, ConfigError, "credentials.certificate"),
        (
            {"credentials": {"key": str(OTHER_KEY), "certificate": str(CERTIFICATE)}},
            KeyMismatchError,
            "not of the private key",
        ),
        (
            {"credentials": {"key": str(KEY), "certificate": str(KEY)}},
            FotabuildError,
            "not an X.509 certificate",
        ),
        ({"sign-image": True}, ConfigError, "sign-image"),
        (
            {"device": {"model-name": "x", "client": "update-client-hub"}},
            VerificationError,
            "hub-uri-scheme",
        ),
    ],
)
def test_refused_before_anything_is_written(
    changes: dict[str, Any], error: type[FotabuildError], message: str, tmp_path: Path
) -> None:
    output = tmp_path / "out.manifest"
    output.write_bytes(b"good")
    with pytest.raises(error, match=re.escape(message)):
        make(project(tmp_path, **changes), output, GOLDEN[-1], 7)
    assert output.read_bytes() == b"good"


def test_format_of_v3_only(tmp_path: Path) -> None:
    step = project(tmp_path).manifest_v1(
        VECTORS / "package" / "two.tar", PayloadFormat.COMBINED, 7, tmp_path / "out"
    )
    with pytest.raises(FotabuildError, match="this schema has no payload format combined"):
        step.run()


def test_plan_of_both_formats_runs(make_config: MakeConfig, tmp_path: Path) -> None:
    prepare(tmp_path)
    config = make_config(**COMPLETE, formats=["v1", "v3"])
    plan = make_plan(config, complete_build(tmp_path))
    for step in plan.steps:
        assert step_from_description(json.dumps(describe_step(step)).encode()) == step
    run_plan(plan, lambda *_: None)
    made = sorted(path.name for step in plan.steps for path in step.outputs)
    names = [name for name in made if name.endswith(".v1.manifest")]
    assert names == ["app-1.0.0-to-1.1.0.v1.manifest", "app-1.1.0.v1.manifest"]
    folder = plan.steps[-1].outputs[0].parent
    number = FirmwareVersion(1, 1, 0).to_device_number()
    for name in names:
        manifest = decode_signed((folder / name).read_bytes()).manifest
        assert (manifest.timestamp, manifest.priority) == (number, None)


def test_signature_of_the_step_changes_with_the_client(tmp_path: Path) -> None:
    steps = [
        project(tmp_path, device={"model-name": "x", "client": client}).manifest_v1(
            tmp_path / "a", PayloadFormat.RAW_BINARY, 7, tmp_path / "b"
        )
        for client in ("fota", "update-client-hub")
    ]
    assert steps[0].signature() != steps[1].signature()


def create(folder: Path, *arguments: str, epoch: str | None = None) -> tuple[int, str]:
    project(folder)
    (folder / "app.bin").write_bytes(firmware("fw-1.1.0"))
    done = run_fotabuild(
        *("manifest", "create-v1", "-p", "app.bin", "--format", "raw-binary", "-o", "out"),
        *arguments,
        cwd=folder,
        env={} if epoch is None else {"SOURCE_DATE_EPOCH": epoch},
    )
    return done.status, done.stderr


def test_command_takes_the_date_of_the_build(tmp_path: Path) -> None:
    status, text = create(tmp_path, epoch="1234567890")
    assert (status, "hub-uri-scheme" in text) == (0, True)
    assert decode_signed((tmp_path / "out").read_bytes()).manifest.timestamp == 1234567890


@pytest.mark.parametrize(
    ("arguments", "status"),
    [
        (("-v", "0"), 2),
        (("-v", str(2**63)), 2),
        (("-v", "1\n"), 2),
        (("-v", "1.2.3"), 2),
        (("-v", "1", "--fw-migrate-ver", "1.2.3"), 2),
        (("--fw-migrate-ver", "0.0.0"), 1),
    ],
)
def test_command_refuses_versions(arguments: tuple[str, ...], status: int, tmp_path: Path) -> None:
    assert create(tmp_path, *arguments)[0] == status
    assert not (tmp_path / "out").exists()


def test_command_parses_and_verifies_both_schemas(tmp_path: Path) -> None:
    assert create(tmp_path, "--fw-migrate-ver", "1.2.3")[0] == 0
    parsed = run_fotabuild("--json", "manifest", "parse", "out", cwd=tmp_path)
    fields = json.loads(parsed.stdout)["manifest"]
    assert (fields["manifest-version"], fields["payload-version"]) == (1, "1.2.3")
    verify = ("manifest", "verify", "out", "--payload", "app.bin", "--installed-version")
    assert run_fotabuild(*verify, "1700000000", cwd=tmp_path).status == 0
    assert run_fotabuild(*verify, "1.2.3", cwd=tmp_path).status == 3
    assert "manifest v1" in run_fotabuild("inspect", "out", cwd=tmp_path).stdout


@pytest.mark.peer
def test_the_real_tool_verifies_ours(tmp_path: Path) -> None:
    assert create(tmp_path, "-v", "1700000000")[0] == 0
    done = subprocess.run(
        [peer_folder() / "manifest-tool", "parse", "out", "-c", CERTIFICATE],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ},
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    assert "Manifest Signature verified!" in done.stdout
