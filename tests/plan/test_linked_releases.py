"""A release with its ELF file: the delta reads the symbols of both."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fotabuild.delta.effort import Effort
from fotabuild.device.profile import DeviceFeature, DeviceLimits, DeviceProfile
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.build import Build
from fotabuild.plan.make import StepMaker
from fotabuild.plan.plan import Plan, make_plan
from fotabuild.steps.delta import DeltaStep
from fotabuild.steps.description import describe_step, step_from_description

from ..explain import scene
from .conftest import MakeConfig

RELEASE = {"version": "1.0.0", "image": "old.bin"}


def delta_of(plan: Plan) -> DeltaStep:
    (step,) = [step for step in plan.steps if isinstance(step, DeltaStep)]
    return step


@pytest.fixture
def build(tmp_path: Path) -> Build:
    for name, data in {
        "old.bin": scene.OLD,
        "old.elf": scene.OLD_ELF,
        "app.elf": scene.NEW_ELF,
        "app-2.0.0.bin": scene.NEW,
    }.items():
        (tmp_path / name).write_bytes(data)
    return Build(
        image=tmp_path / "app.elf", version=FirmwareVersion.parse("2.0.0"), folder=tmp_path
    )


def test_both_linked_files_are_inputs(
    make_config: MakeConfig, tmp_path: Path, build: Build
) -> None:
    step = delta_of(make_plan(make_config(releases=[{**RELEASE, "elf": "old.elf"}]), build))
    names = ["old.bin", "app-2.0.0.bin", "old.elf", "app.elf"]
    assert [path.name for path in step.inputs] == names
    assert step.run().warnings == ()


def test_without_the_old_linked_file_the_new_one_is_no_input(
    make_config: MakeConfig, build: Build
) -> None:
    step = delta_of(make_plan(make_config(releases=[RELEASE]), build))
    assert [path.name for path in step.inputs] == ["old.bin", "app-2.0.0.bin"]


def test_a_flat_build_says_that_it_has_no_symbols(
    make_config: MakeConfig, tmp_path: Path, build: Build
) -> None:
    (tmp_path / "app.elf").write_bytes(scene.NEW)
    step = delta_of(make_plan(make_config(releases=[{**RELEASE, "elf": "old.elf"}]), build))
    assert step.run().warnings == ("app.elf: this is not an ELF file, there are no symbols in it",)


def test_effort_and_time_limit_survive_a_description(make_config: MakeConfig, build: Build) -> None:
    config = make_config(
        releases=[{**RELEASE, "elf": "old.elf"}], delta={"effort": "max", "time-limit": 7}
    )
    step = delta_of(make_plan(config, build))
    assert (step.effort, step.time_limit) == (Effort.MAX, 7)
    assert step_from_description(json.dumps(describe_step(step)).encode()) == step


def test_what_patches_need_of_a_profile(make_config: MakeConfig, tmp_path: Path) -> None:
    limits = {"patch-memory": 4096, "network-chunk": 100}
    device = {"model-name": "Toaster", "features": ["combined"], "limits": limits}
    step = StepMaker(make_config(device=device)).delta(
        tmp_path / "a", tmp_path / "b", tmp_path / "c"
    )
    profile = DeviceProfile(
        features=frozenset({DeviceFeature.COMBINED}),
        limits=DeviceLimits(patch_memory=4096, network_chunk=100),
    )
    assert step.device == profile.patch_device
    assert (step.device.supported, step.device.memory, step.device.network_chunk) == (
        False,
        4096,
        100,
    )
