"""The steps of a build: names, order, inputs, outputs, notes."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.build import Build
from fotabuild.plan.plan import Plan, make_plan
from fotabuild.steps.manifest import ManifestStep
from fotabuild.steps.step import StepKind

from .conftest import MakeConfig

VERSION = FirmwareVersion(2, 0, 0)
PACKAGE = {
    "component": "BUNDLE",
    "images": [
        {"sub-comp-name": "app", "vendor-data": "a"},
        {"sub-comp-name": "table", "vendor-data": "b", "file-name": "table.bin"},
    ],
}
LAYOUT = {"bootloader": "boot.bin", "application-offset": 32768}


def build(tmp_path: Path, **changes: object) -> Build:
    values: dict[str, object] = {
        "image": tmp_path / "obj" / "app.elf",
        "version": VERSION,
        "folder": tmp_path / "update",
        **changes,
    }
    return Build(**values)  # type: ignore[arg-type]


def names(plan: Plan) -> list[str]:
    return [step.name for step in plan.steps]


def test_smallest_plan(make_config: MakeConfig, tmp_path: Path) -> None:
    plan = make_plan(make_config(), build(tmp_path))
    assert names(plan) == ["image:app-2.0.0.bin", "manifest:app-2.0.0.manifest"]
    assert plan.notes == ()


def test_complete_plan(
    make_config: MakeConfig, tmp_path: Path, releases: list[dict[str, str]]
) -> None:
    config = make_config(
        releases=releases,
        package=PACKAGE,
        layout=LAYOUT,
        formats=["v3", "v1", "suit"],
        report={"write": True},
    )
    resources = tmp_path / "gen" / "update_default_resources.c"
    plan = make_plan(config, build(tmp_path, resources=resources, name="toaster"))
    assert names(plan) == [
        "resources:update_default_resources.c",
        "image:toaster-2.0.0.bin",
        "manifest:toaster-2.0.0.manifest",
        "manifest-v1:toaster-2.0.0.v1.manifest",
        "suit:toaster-2.0.0.suit",
        "delta:toaster-1.9.0-to-2.0.0.patch",
        "manifest:toaster-1.9.0-to-2.0.0.manifest",
        "manifest-v1:toaster-1.9.0-to-2.0.0.v1.manifest",
        "delta:toaster-1.10.0-to-2.0.0.patch",
        "manifest:toaster-1.10.0-to-2.0.0.manifest",
        "manifest-v1:toaster-1.10.0-to-2.0.0.v1.manifest",
        "package:toaster-2.0.0.package.tar",
        "manifest:toaster-2.0.0.package.manifest",
        "factory:toaster-2.0.0.factory.bin",
        "report:toaster-2.0.0.report.html",
    ]
    assert {step.kind for step in plan.steps} == set(StepKind)
    assert plan.notes == (
        "no v1 manifest of the package: that schema knows no packages",
        "no SUIT manifest of the package: list its images in suit.components instead",
    )


def test_every_step_comes_behind_those_that_it_reads(
    make_config: MakeConfig, tmp_path: Path, releases: list[dict[str, str]]
) -> None:
    plan = make_plan(
        make_config(releases=releases, package=PACKAGE, layout=LAYOUT), build(tmp_path)
    )
    made = {path for step in plan.steps for path in step.outputs}
    seen: set[Path] = set()
    for step in plan.steps:
        assert set(step.inputs) & made <= seen
        seen |= set(step.outputs)
    given = {path for step in plan.steps for path in step.inputs} - made
    assert len(plan.sources) == len(given)
    assert (
        given
        == set(plan.sources)
        == {
            tmp_path / name
            for name in (
                "obj/app.elf",
                "keys/update.key.pem",
                "keys/update.cert.der",
                "releases/a.bin",
                "releases/b.bin",
                "table.bin",
                "boot.bin",
            )
        }
    )


def test_names_and_outputs_are_unique(
    make_config: MakeConfig, tmp_path: Path, releases: list[dict[str, str]]
) -> None:
    plan = make_plan(make_config(releases=releases, package=PACKAGE), build(tmp_path))
    outputs = [path for step in plan.steps for path in step.outputs]
    assert len(set(outputs)) == len(outputs)
    assert len(set(names(plan))) == len(plan.steps)


def test_order_of_the_releases_in_the_file_does_not_matter(
    make_config: MakeConfig, tmp_path: Path, releases: list[dict[str, str]]
) -> None:
    one = make_plan(make_config(releases=releases), build(tmp_path))
    other = make_plan(make_config(releases=releases[::-1]), build(tmp_path))
    assert one == other


@pytest.mark.parametrize("version", ["2.0.0", "2.0.1", "999.0.0"])
def test_release_that_is_not_older_gets_a_note(
    version: str, make_config: MakeConfig, tmp_path: Path, releases: list[dict[str, str]]
) -> None:
    newer = {"version": version, "image": "releases/c.bin"}
    plan = make_plan(make_config(releases=[newer, *releases]), build(tmp_path))
    assert plan.notes == (f"no delta from {version}: it is not older than 2.0.0",)
    assert len(plan.steps) == 6


def test_setting_that_a_build_does_not_use_gets_a_note(
    make_config: MakeConfig, tmp_path: Path
) -> None:
    payload = {"url": "https://acme.com/{file}", "file-path": "fw.bin"}
    plan = make_plan(make_config(payload=payload), build(tmp_path))
    (note,) = plan.notes
    assert note.startswith("payload.file-path is not used")


def test_package_goes_to_its_own_component(make_config: MakeConfig, tmp_path: Path) -> None:
    plan = make_plan(make_config(package=PACKAGE, component="BOOT"), build(tmp_path))
    steps = {step.outputs[0].name: step for step in plan.steps}
    package, image = steps["app-2.0.0.package.manifest"], steps["app-2.0.0.manifest"]
    assert isinstance(package, ManifestStep)
    assert isinstance(image, ManifestStep)
    assert (package.component, image.component) == ("BUNDLE", "BOOT")


def test_delta_manifest_knows_where_it_starts(
    make_config: MakeConfig, tmp_path: Path, releases: list[dict[str, str]]
) -> None:
    plan = make_plan(make_config(releases=releases), build(tmp_path))
    step = next(s for s in plan.steps if s.name == "manifest:app-1.9.0-to-2.0.0.manifest")
    assert isinstance(step, ManifestStep)
    assert step.precursor is not None
    assert step.precursor.image == tmp_path / "releases" / "a.bin"
    assert step.precursor.version == FirmwareVersion(1, 9, 0)
    assert step.sidecar == tmp_path / "update" / "app-1.9.0-to-2.0.0.yaml"


def test_planning_reads_and_writes_nothing(
    make_config: MakeConfig, tmp_path: Path, releases: list[dict[str, str]]
) -> None:
    """No file but the configuration exists here, and none is made."""
    make_plan(make_config(releases=releases, package=PACKAGE, layout=LAYOUT), build(tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["fotabuild.yaml"]


def test_paths_are_absolute(
    make_config: MakeConfig, tmp_path: Path, releases: list[dict[str, str]]
) -> None:
    plan = make_plan(make_config(releases=releases, package=PACKAGE), build(tmp_path))
    assert all(path.is_absolute() for step in plan.steps for path in step.inputs + step.outputs)
