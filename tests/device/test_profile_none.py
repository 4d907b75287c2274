"""``device.profile: none``: no features and limits, everything else as ever, and a warning."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fotabuild.cli.main import main
from fotabuild.formats import manifest_v1, manifest_v3

from ..conftest import VECTORS
from ..dropin.tools import ours
from ..formats.golden import CERTIFICATE, KEY, golden_name, signed_bytes_of
from ..formats.test_golden_inputs import lay_out
from ..formats.test_manifest_v1_golden import GOLDEN
from ..signing.scene import write_project

WARNING = "device.profile is none: nobody checked features and limits of devices"
BEYOND = ("raw-component-9", "raw-prio-2pow31", "raw-url256")
NONE = "--profile=none"
RAW = ("--format", "raw-binary", "-p", "app.bin", "-v", "1.1.0")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path)
    return tmp_path


@pytest.mark.parametrize("golden", GOLDEN, ids=golden_name)
def test_all_golden_v1_inputs(golden: Path, tmp_path: Path) -> None:
    name = golden_name(golden)
    expected = manifest_v1.decode_signed(golden.read_bytes())
    arguments = [f"--config={lay_out('v1', tmp_path) / name}.yaml", f"--key={KEY}", NONE]
    arguments += [f"--update-certificate={CERTIFICATE}", f"--output={tmp_path / 'out'}"]
    arguments += [f"--fw-version={expected.manifest.timestamp}"]
    assert main(["--quiet", "manifest", "create-v1", *arguments]) == 0
    found = manifest_v1.decode_signed((tmp_path / "out").read_bytes())
    assert found.signed_bytes == expected.signed_bytes
    assert found.fingerprint == expected.fingerprint


@pytest.mark.parametrize("name", BEYOND)
def test_what_devices_refuse_through_the_older_commands(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lay_out("v3", tmp_path)
    arguments = ("create", "-c", f"{name}.yaml", "-k", KEY, "-v", "1.1.0", "-o", "out")
    assert ours("manifest-tool", *arguments, cwd=tmp_path).status == 1
    monkeypatch.setenv("FOTABUILD_DEVICE_PROFILE", "none")
    done = ours("manifest-tool", *arguments, cwd=tmp_path)
    assert (done.status, WARNING in done.stderr) == (0, True)
    found = manifest_v3.decode_signed((tmp_path / "out").read_bytes())
    assert found.signed_bytes == signed_bytes_of(VECTORS / "v3" / f"{name}.manifest.bin")


def test_a_whole_build_warns_once(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    beyond = ("--set", "component=THERMOMETER", "--set", "device.limits.sub-components=9")
    build = ["build", "app.bin", "-v", "1.1.0", "-o", "out", *beyond]
    assert main(build) == 3
    capsys.readouterr()
    assert main([*build, NONE]) == 0
    assert capsys.readouterr().err.count(f"warning: {WARNING}\n") == 1
    assert len(list(Path("out").glob("*.manifest"))) == 3


def test_the_setting_is_the_option(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    config = project / "fotabuild.yaml"
    text = config.read_text()
    create = ["manifest", "create", *RAW, "--component", "THERMOMETER", "-o", "out"]
    config.write_text(text.replace("model-name: Thermometer,", "model-name: T, profile: none,"))
    assert main(create) == 0
    assert WARNING in capsys.readouterr().err
    assert main([*create, "--profile", "default"]) == 3
    config.write_text(text.replace("model-name: Thermometer,", "model-name: T, profile: no,"))
    assert main(create) == 1
    assert "device.profile" in capsys.readouterr().err


@pytest.mark.parametrize(
    "arguments",
    [
        ("resources", "-o", "out", "--set", "device.limits.certificate-size=100"),
        ("package", "create", "-o", "out", "--image", "app.bin", "--set", "device.features=delta"),
        ("manifest", "prepare", *RAW, "--set", "sign-image=false", "--component", "THERMOMETER",
         "-o", "out"),
        ("encrypt", "app.bin", "-v", "1.1.0", "-o", "out", "--component", "THERMOMETER"),
    ],
    ids=lambda arguments: arguments[0],
)  # fmt: skip
def test_other_commands(
    arguments: tuple[str, ...], project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 3
    capsys.readouterr()
    assert main([*arguments, NONE]) == 0
    assert f"warning: {WARNING}\n" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (("--update-certificate", "old.bin"), "not an X.509"),
        (("--url", ""), "payload.url"),
        (("-p", "empty.bin"), "payload-not-empty"),
        (("-v", "1000.0.0"), "not a firmware version"),
        (("-p", "old.bin", "--format", "arm-patch-stream"), "old.yaml"),
    ],
)
def test_everything_else_is_checked(
    change: tuple[str, ...], problem: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    Path("empty.bin").touch()
    assert main(["manifest", "create", *RAW, *change, "-o", "out", NONE]) != 0
    assert problem in capsys.readouterr().err
    assert not Path("out").exists()


def test_verify_says_what_it_did_not_enforce(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    create = ["manifest", "create", *RAW, "--component", "THERMOMETER", "-o", "out", NONE]
    assert main(create) == 0
    capsys.readouterr()
    assert main(["--json", "manifest", "verify", "out", NONE, "--payload", "app.bin"]) == 0
    text = capsys.readouterr()
    results = {r["name"]: r for r in json.loads(text.out)["results"]}
    assert results["component-name"]["verdict"] == "skipped"
    assert results["component-name"]["detail"] == "11, the device takes 8; not enforced"
    assert results["signature"]["verdict"] == "passed"
    assert f"warning: {WARNING}\n" in text.err
    # A changed byte is found in any case.
    data = bytearray(Path("out").read_bytes())
    data[-1] ^= 1
    Path("out").write_bytes(data)
    assert main(["manifest", "verify", "out", NONE]) == 3


def test_only_what_counts_makes_a_step_run_again(project: Path) -> None:
    def signatures(*options: str) -> list[str]:
        from fotabuild.cli.commands.build import plan_from
        from fotabuild.cli.main import make_parser

        arguments = ["build", "app.bin", "-v", "1.1.0", "--resources", "r.c", *options]
        return [step.signature() for step in plan_from(make_parser().parse_args(arguments)).steps]

    default, none = signatures(), signatures(NONE)
    changed = [a != b for a, b in zip(default, none, strict=True)]
    assert changed.count(False) == 1  # The flat image.
    assert none != signatures(NONE, "--set", "device.features=delta")
    assert none[0] == signatures(NONE, "--set", "device.limits.certificate-size=9")[0]
