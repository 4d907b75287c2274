"""A step's signature tells a build system when to make its artifact again, and only then."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest

import fotabuild.steps.step
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.plan import make_plan

from .conftest import BASE, MakeConfig
from .test_plan import PACKAGE, build

RELEASES = [{"version": "1.0.0", "image": "releases/a.bin"}]
IMAGE, DELTA, TAR, C = "app-2.0.0.bin", "app-1.0.0-to-2.0.0.patch", "app-2.0.0.package.tar", "r.c"
RAW_M, DELTA_M, TAR_M = (
    "app-2.0.0.manifest",
    "app-1.0.0-to-2.0.0.manifest",
    "app-2.0.0.package.manifest",
)
MANIFESTS = {RAW_M, DELTA_M, TAR_M}
ALL = {IMAGE, DELTA, TAR, C} | MANIFESTS
# Setting, another value, and the artifacts that are made again.
Change = tuple[str, Any, set[str]]
CHANGES: list[Change] = [
    ("vendor.domain", "other.example", {C} | MANIFESTS),
    ("device.model-name", "Kettle", {C} | MANIFESTS),
    ("component", "BOOT", {RAW_M, DELTA_M}),
    ("priority", 5, MANIFESTS),
    ("sign-image", True, MANIFESTS),
    ("payload.url", "https://acme.com/x/{file}", MANIFESTS),
    ("delta.block-size", 256, {DELTA}),
    ("delta.threshold", 61, {DELTA}),
    ("delta.effort", "best", {DELTA}),
    ("delta.time-limit", 60, {DELTA}),
    ("package.component", "PKG", {TAR_M}),
    ("device.limits.certificate-size", 601, {C}),
    ("device.limits.uri-size", 254, MANIFESTS),
    ("device.limits.patch-memory", 2048, {DELTA, DELTA_M}),
    ("device.limits.sub-component-name-size", 7, {TAR, TAR_M}),
    ("publish.destination", "elsewhere", set()),
    ("credentials.key", "keys/other.pem", set()),
    ("releases", [{"version": "1.0.0", "image": "releases/other.bin"}], set()),
]


def signatures(make_config: MakeConfig, tmp_path: Path, sections: dict[str, Any]) -> dict[str, str]:
    plan = make_plan(make_config(**sections), build(tmp_path, resources=tmp_path / C))
    return {step.outputs[0].name: step.signature() for step in plan.steps}


@pytest.fixture
def base() -> dict[str, Any]:
    return copy.deepcopy({**BASE, "releases": RELEASES, "package": PACKAGE})


@pytest.mark.parametrize(("name", "value", "remade"), CHANGES, ids=[c[0] for c in CHANGES])
def test_a_setting_remakes_what_it_is_part_of(
    name: str,
    value: Any,
    remade: set[str],
    base: dict[str, Any],
    make_config: MakeConfig,
    tmp_path: Path,
) -> None:
    """Files are inputs: another key or image is noticed by its content, not by its name."""
    before = signatures(make_config, tmp_path, base)
    assert set(before) == ALL
    *parents, last = name.split(".")
    node = base
    for parent in parents:
        node = node.setdefault(parent, {})
    node[last] = value
    after = signatures(make_config, tmp_path, base)
    assert {step for step in ALL if before[step] != after[step]} == remade


def test_signature_does_not_depend_on_the_folder(
    base: dict[str, Any], make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(**base)
    one = make_plan(config, build(tmp_path, resources=tmp_path / C))
    other = make_plan(
        config, build(tmp_path, resources=tmp_path / "x" / C, folder=tmp_path / "other")
    )
    assert [s.signature() for s in one.steps] == [s.signature() for s in other.steps]
    assert all(str(tmp_path) not in step.signature() for step in one.steps)


def test_version_of_the_firmware_is_part_of_manifests(
    base: dict[str, Any], make_config: MakeConfig, tmp_path: Path
) -> None:
    config = make_config(**base)
    one, other = (
        make_plan(config, build(tmp_path, version=FirmwareVersion(*version)))
        for version in ((2, 0, 0), (2, 0, 1))
    )
    changed = [
        step.kind.value
        for step, same in zip(one.steps, other.steps, strict=True)
        if step.signature() != same.signature()
    ]
    assert changed == ["manifest"] * 3


def test_version_of_fotabuild_remakes_everything(
    base: dict[str, Any],
    make_config: MakeConfig,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = signatures(make_config, tmp_path, base)
    monkeypatch.setattr(fotabuild.steps.step, "__version__", "0.0.0+other")
    after = signatures(make_config, tmp_path, base)
    assert all(before[step] != after[step] for step in ALL)
