"""Plans that would overwrite something, or lack a setting, are refused before anything runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.errors import ConfigError, FotabuildError, OutputConflictError, PlanError
from fotabuild.plan.plan import make_plan

from .conftest import BASE, MakeConfig
from .test_plan import LAYOUT, PACKAGE, build

RELEASE = {"version": "1.0.0", "image": "releases/a.bin"}


def test_two_releases_of_one_version(make_config: MakeConfig, tmp_path: Path) -> None:
    other = {"version": "1.0.0", "image": "releases/b.bin"}
    with pytest.raises(PlanError, match="would write it") as caught:
        make_plan(make_config(releases=[RELEASE, other]), build(tmp_path))
    assert caught.value.file == tmp_path / "update" / "app-1.0.0-to-2.0.0.patch"
    assert "same version" in (caught.value.remedy or "")


@pytest.mark.parametrize(
    ("sections", "changes"),
    [
        ({}, {"image": "update/app-2.0.0.bin", "name": "app"}),
        ({}, {"image": "update/../update/app-2.0.0.bin", "name": "app"}),
        ({}, {"image": "update/app-2.0.0.manifest", "name": "app"}),
        ({}, {"resources": "obj/app.elf"}),
        ({"releases": [{**RELEASE, "image": "update/app-2.0.0.bin"}]}, {}),
        ({"releases": [{**RELEASE, "image": "update/app-1.0.0-to-2.0.0.yaml"}]}, {}),
        ({"layout": {**LAYOUT, "bootloader": "update/app-2.0.0.factory.bin"}}, {}),
        (
            {"package": {"images": [PACKAGE["images"][0],
                                    {"sub-comp-name": "t", "vendor-data": "b",
                                     "file-name": "update/app-2.0.0.package.tar"}]}},
            {},
        ),
    ],
)  # fmt: skip
def test_inputs_of_the_build_are_never_overwritten(
    sections: dict[str, object], changes: dict[str, str], make_config: MakeConfig, tmp_path: Path
) -> None:
    values = {key: value if key == "name" else tmp_path / value for key, value in changes.items()}
    with pytest.raises(PlanError, match="would overwrite this input of the build"):
        make_plan(make_config(**sections), build(tmp_path, **values))


def test_inputs_are_found_under_another_name(make_config: MakeConfig, tmp_path: Path) -> None:
    (tmp_path / "update").mkdir()
    (tmp_path / "alias").symlink_to("update")
    release = {**RELEASE, "image": "alias/app-2.0.0.bin"}
    with pytest.raises(PlanError, match="would overwrite this input"):
        make_plan(make_config(releases=[release]), build(tmp_path))


@pytest.mark.parametrize(
    ("section", "values"),
    [
        ("credentials", {"key": "update/app-2.0.0.manifest"}),
        ("credentials", {"key": "file:update/app-2.0.0.bin"}),
        ("credentials", {**BASE["credentials"], "certificate": "update/app-2.0.0.bin"}),
        ("vendor", {"domain": "acme.com", "custom-data-path": "update/app-2.0.0.bin"}),
    ],
)
def test_credentials_are_never_overwritten(
    section: str, values: dict[str, str], make_config: MakeConfig, tmp_path: Path
) -> None:
    with pytest.raises(OutputConflictError, match="would overwrite"):
        make_plan(make_config(**{section: values}), build(tmp_path))


def test_the_configuration_is_never_overwritten(make_config: MakeConfig, tmp_path: Path) -> None:
    with pytest.raises(OutputConflictError, match="would overwrite"):
        make_plan(make_config(), build(tmp_path, resources=tmp_path / "fotabuild.yaml"))


@pytest.mark.parametrize(
    ("sections", "field"),
    [
        ({"payload": {}}, "payload.url"),
        ({"credentials": {"certificate": "c"}}, "credentials.key"),
        ({"payload": {"url": "https://acme.com/{image}"}}, "payload.url"),
        ({"layout": {**LAYOUT, "header": "h.bin"}}, "layout.header"),
    ],
)
def test_missing_settings_are_named(
    sections: dict[str, object], field: str, make_config: MakeConfig, tmp_path: Path
) -> None:
    with pytest.raises(ConfigError) as caught:
        make_plan(make_config(**sections), build(tmp_path))
    assert caught.value.field == field


def test_resources_need_a_certificate(make_config: MakeConfig, tmp_path: Path) -> None:
    config = make_config(credentials={"key": "k.pem"})
    make_plan(config, build(tmp_path))
    with pytest.raises(FotabuildError) as caught:
        make_plan(config, build(tmp_path, resources=tmp_path / "r.c"))
    assert caught.value.field == "credentials.certificate"
