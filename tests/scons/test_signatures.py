"""Every limit of the device is part of the signature of each step whose checks look at it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from fotabuild.config.loader import load_config
from fotabuild.device.profile import DeviceLimits
from fotabuild.errors import FotabuildError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.build import Build
from fotabuild.plan.plan import make_plan
from fotabuild.steps.step import Step

from .project import Project

#: A value that no artifact of the project passes, or a smaller one where all values pass.
TIGHT = {"sub-components": 3, "network-chunk": 1}
ALL_PASS = {"network-chunk"}
LIMITS = [field.encode_name for field in msgspec.structs.fields(DeviceLimits)]


def _steps(project: Project, config: str, folder: Path) -> dict[str, Step]:
    build = Build(
        image=project.path("releases/app-1.0.0.bin"),
        version=FirmwareVersion.parse("1.1.0"),
        folder=folder,
        name="app",
        resources=folder / "resources.c",
    )
    plan = make_plan(load_config(project.path(config), environ={}), build)
    return {step.name: step for step in plan.steps}


def _set_limit(project: Project, name: str, value: int) -> None:
    lines = project.path("fotabuild.yaml").read_text().splitlines()
    lines = [line for line in lines if not line.startswith(f"    {name}:")]
    at = lines.index("  limits:") + 1
    project.write("tight.yaml", "\n".join([*lines[:at], f"    {name}: {value}", *lines[at:]]))


@pytest.mark.parametrize("limit", LIMITS)
def test_a_step_that_a_limit_can_refuse_depends_on_it(
    project: Callable[..., Project], tmp_path: Path, limit: str
) -> None:
    files = project()
    folder = tmp_path / "artifacts"
    good = _steps(files, "fotabuild.yaml", folder)
    for step in good.values():
        step.run()
    _set_limit(files, limit, TIGHT.get(limit, 0))
    tight = _steps(files, "tight.yaml", folder)
    refused = set()
    for name, step in tight.items():
        try:
            step.run()
        except FotabuildError:
            refused.add(name)
    changed = {name for name, step in tight.items() if step.signature() != good[name].signature()}
    assert refused or limit in ALL_PASS
    assert refused <= changed
