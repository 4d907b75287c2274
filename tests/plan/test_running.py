"""A plan that runs: everything is there, verified, the same again; a failure stops it cleanly."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fotabuild.device.manifest_acceptance import Device, accept_manifest
from fotabuild.device.profile import DeviceFeature, DeviceProfile
from fotabuild.errors import FotabuildError, KeyMismatchError, ThresholdError
from fotabuild.formats.combined_package import decode_package
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.plan import make_plan
from fotabuild.plan.runner import run_plan
from fotabuild.steps.description import describe_step, step_from_description
from fotabuild.steps.step import Step, StepResult

from ..formats.golden import OTHER_KEY, PUBLIC_KEY, firmware
from .conftest import COMPLETE, MakeConfig, complete_build, prepare

ARTIFACTS = {
    "app-1.1.0.bin",
    "app-1.1.0.manifest",
    "app-1.0.0-to-1.1.0.patch",
    "app-1.0.0-to-1.1.0.yaml",
    "app-1.0.0-to-1.1.0.manifest",
    "app-1.1.0.package.tar",
    "app-1.1.0.package.manifest",
}


def artifacts(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("*")}


def test_all_artifacts_and_nothing_else(run_project: Path) -> None:
    assert set(artifacts(run_project)) == ARTIFACTS
    resources = run_project.parent / "gen"
    assert [path.name for path in resources.iterdir()] == ["resources.c"]


@pytest.mark.parametrize(
    ("manifest", "payload"),
    [
        ("app-1.1.0.manifest", "app-1.1.0.bin"),
        ("app-1.0.0-to-1.1.0.manifest", "app-1.0.0-to-1.1.0.patch"),
        ("app-1.1.0.package.manifest", "app-1.1.0.package.tar"),
    ],
)
def test_a_device_in_the_field_accepts_each(manifest: str, payload: str, run_project: Path) -> None:
    features = frozenset({DeviceFeature.DELTA, DeviceFeature.COMBINED})
    device = Device(
        profile=DeviceProfile(features=features),
        public_key=PUBLIC_KEY.read_bytes(),
        installed_version=FirmwareVersion(1, 0, 0),
        installed_image=firmware("fw-1.0.0"),
    )
    data, content = (run_project / manifest).read_bytes(), (run_project / payload).read_bytes()
    accept_manifest(data, device, content).require()


def test_package_holds_the_built_image(run_project: Path) -> None:
    images = decode_package((run_project / "app-1.1.0.package.tar").read_bytes())
    assert [(i.name, i.content) for i in images] == [
        ("app", firmware("fw-1.1.0")),
        ("table", firmware("sub1")),
    ]


def test_the_same_bytes_again(run_project: Path, make_config: MakeConfig) -> None:
    before = artifacts(run_project)
    config = make_config(payload={"url": "https://acme.com/{digest}"}, **COMPLETE)
    run_plan(make_plan(config, complete_build(run_project.parent)), lambda _step, _result: None)
    assert artifacts(run_project) == before


def test_steps_survive_their_description(run_project: Path, make_config: MakeConfig) -> None:
    """A build system that is not Python keeps steps as JSON; they make the same bytes."""
    before = artifacts(run_project)
    config = make_config(payload={"url": "https://acme.com/{digest}"}, **COMPLETE)
    for step in make_plan(config, complete_build(run_project.parent)).steps:
        again = step_from_description(json.dumps(describe_step(step)).encode())
        assert again == step
        for path in again.outputs:
            path.unlink()
        again.run()
    assert artifacts(run_project) == before


@pytest.mark.parametrize(
    ("spoil", "error", "made"),
    [
        ("obj/app.bin", FotabuildError, 1),
        ("keys/update.key.pem", FotabuildError, 2),
        ("other key", KeyMismatchError, 2),
        ("releases/a.bin", FotabuildError, 3),
        ("threshold", ThresholdError, 3),
        ("table.bin", FotabuildError, 5),
    ],
)
def test_a_failing_step_is_the_last_one(
    spoil: str,
    error: type[FotabuildError],
    made: int,
    tmp_path: Path,
    make_config: MakeConfig,
) -> None:
    prepare(tmp_path)
    sections = {**COMPLETE, "delta": {"threshold": 1 if spoil == "threshold" else 60}}
    if spoil == "other key":
        (tmp_path / "keys" / "update.key.pem").write_bytes(OTHER_KEY.read_bytes())
    elif spoil != "threshold":
        (tmp_path / spoil).unlink()
    plan = make_plan(make_config(**sections), complete_build(tmp_path))
    reported: list[Step] = []

    def report(step: Step, result: StepResult) -> None:
        assert result.summary
        reported.append(step)

    with pytest.raises(error):
        run_plan(plan, report)
    assert tuple(reported) == plan.steps[:made]
    there = {path for folder in ("update", "gen") for path in (tmp_path / folder).glob("*")}
    assert there == {path for step in reported for path in step.outputs}
