"""Options: what they mean, and what is said of wrong ones."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fotabuild.config.fields import project_fields
from fotabuild.config.loader import load_config
from fotabuild.errors import ConfigError
from fotabuild.platformio.options import (
    PREFIX,
    Options,
    option_of,
    read_options,
    setting_options,
)

from ..conftest import ROOT
from .project import Project, error_lines

PROJECT = Path("/project folder")
VERSION = {f"{PREFIX}version": "1.2.3"}


def _read(**given: str) -> Options:
    options = {**VERSION, **{PREFIX + name: text for name, text in given.items()}}
    return read_options(options, PROJECT, lambda text: text.replace("$BUILD_DIR", "/build"))


def test_the_version_is_enough() -> None:
    options = _read()
    assert str(options.version) == "1.2.3"
    assert options.config == PROJECT / "fotabuild.yaml"
    assert options.folder == Path("/build/update")
    assert options.image == PROJECT / "$PROGPATH"
    assert (options.name, options.resources, options.settings) == ("", True, {})


def test_every_setting_has_one_option_of_its_own() -> None:
    options = setting_options()
    assert len(options) == len(project_fields())
    assert not {PREFIX + name for name in Options.__dataclass_fields__} & set(options)
    assert options["custom_fotabuild_payload_url"].name == "payload.url"
    assert options["custom_fotabuild_device_model_name"].name == "device.model-name"


def test_settings_are_handed_over_by_their_names() -> None:
    assert _read(payload_url="\nhttps://x.example/{file}?$hw", priority=" 3 ").settings == {
        "payload.url": "https://x.example/{file}?$hw",
        "priority": "3",
    }


def test_lines_separate_the_items_of_a_list() -> None:
    settings = _read(device_features="\ndelta\ncombined").settings
    assert settings == {"device.features": "delta,combined"}


@pytest.mark.parametrize("option", ["vendor_custom_data_path", "credentials_certificate"])
def test_paths_start_at_the_project(option: str) -> None:
    setting = option.replace("_", ".", 1).replace("_", "-")
    assert _read(**{option: "keys/../a b.pem"}).settings == {setting: str(PROJECT / "a b.pem")}
    assert _read(**{option: "/keys/a.pem"}).settings == {setting: "/keys/a.pem"}


def key_of(tmp_path: Path, config: str, **given: str) -> str | None:
    """The key that a build signs with, from options and a configuration in another folder."""
    (tmp_path / "conf").mkdir()
    file = tmp_path / "conf" / "fotabuild.yaml"
    file.write_text(f"vendor: {{domain: a.b}}\ndevice: {{model-name: x}}\n{config}")
    options = _read(**given)
    loaded = load_config(
        file, build_system=options.settings, build_folder=options.project, environ={}
    )
    return loaded.project.credentials.key


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        ("keys/../a b.pem", str(PROJECT / "a b.pem")),
        ("/keys/a.pem", "/keys/a.pem"),
        ("pkcs11:token=x", "pkcs11:token=x"),
        ("awskms:alias/update", "awskms:alias/update"),
    ],
)
def test_the_path_of_a_key_starts_at_the_project(key: str, expected: str, tmp_path: Path) -> None:
    assert key_of(tmp_path, "", credentials_key=key) == expected


@pytest.mark.parametrize(
    ("config", "given"),
    [
        ("", {"credentials_signing_tool": "sign"}),
        ("credentials: {signing-tool: ./sign}", {}),
        ("credentials: {signing-tool: ./sign, key: other}", {}),
    ],
)
def test_what_a_signing_tool_calls_its_key_is_no_path(
    config: str, given: dict[str, str], tmp_path: Path
) -> None:
    assert key_of(tmp_path, config, credentials_key="slot/../7", **given) == "slot/../7"


def test_the_plugins_own_paths_may_hold_variables_of_the_build() -> None:
    options = _read(output_dir="$BUILD_DIR/out", image="$BUILD_DIR/a.bin", config="conf/x.yaml")
    assert options.folder == Path("/build/out")
    assert options.image == Path("/build/a.bin")
    assert options.config == PROJECT / "conf/x.yaml"


def test_an_empty_option_is_not_given() -> None:
    assert _read(config="", credentials_key="  ", name="") == _read()


@pytest.mark.parametrize(
    ("text", "expected"), [("yes", True), ("No", False), ("true", True), ("off", False)]
)
def test_resources_can_be_switched(text: str, expected: bool) -> None:
    assert _read(resources=text).resources is expected


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {"verison": "1.2.3"},
            "custom_fotabuild_verison: there is no such option; "
            "did you mean custom_fotabuild_version?",
        ),
        (
            {"payload_uri": "x"},
            "custom_fotabuild_payload_uri: there is no such option; "
            "did you mean custom_fotabuild_payload_url?",
        ),
        (
            {"qqqqqq": "x"},
            "custom_fotabuild_qqqqqq: there is no such option; see docs/platformio.md",
        ),
        (
            {"version": ""},
            "custom_fotabuild_version: this option is required and missing; give it, such as 1.2.3",
        ),
        (
            {"version": "1.2"},
            "custom_fotabuild_version: '1.2' is not a firmware version; "
            "write MAJOR.MINOR.PATCH between 0.0.1 and 999.999.999",
        ),
        (
            {"resources": "maybe"},
            "custom_fotabuild_resources: neither yes nor no: maybe",
        ),
    ],
)
def test_a_wrong_option_is_named(given: dict[str, str], message: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _read(**given)
    assert str(caught.value) == message


def test_every_option_is_the_setting_with_underscores() -> None:
    assert {option_of(field.name) for field in project_fields()} == set(setting_options())


def test_the_documentation_lists_the_options() -> None:
    page = (ROOT / "docs" / "platformio.md").read_text(encoding="utf-8")
    documented = re.findall(rf"^\| `{PREFIX}(\w+)` \|", page, re.MULTILINE)
    for name in documented:
        _read(**{name: "1.1.1" if name == "version" else "yes"})
    # One option for each value, but the settings and the folder that paths start at.
    assert len(documented) == len(Options.__dataclass_fields__) - 2


@pytest.mark.platformio
@pytest.mark.parametrize(
    ("line", "start", "end"),
    [
        (
            "custom_fotabuild_verison = 1.2.3",
            "platformio.ini [env:device]: custom_fotabuild_verison: there is no such option;",
            "did you mean custom_fotabuild_version? [FB0200]",
        ),
        (
            "custom_fotabuild_sign_image = maybe",
            "sign-image: ",
            "it is set by custom_fotabuild_sign_image [FB0200]",
        ),
        ("custom_fotabuild_config = missing.yaml", "{folder}/missing.yaml: ", "[FB0300]"),
    ],
)
def test_a_wrong_option_stops_the_build_with_one_line(
    project: Project, line: str, start: str, end: str
) -> None:
    project.option(line)
    (said,) = error_lines(project.pio("run"))
    assert said.startswith(f"Error: fotabuild: {start.format(folder=project.folder)}")
    assert said.endswith(end)
    assert not (project.build / "firmware.elf").exists()


@pytest.mark.platformio
def test_a_key_that_is_missing_stops_the_build_with_one_line(built: Project) -> None:
    before = built.artifacts
    built.path("keys/update.key.pem").unlink()
    built.edit("fotabuild.yaml", "key: keys/update.key.pem", "key: keys/other.pem")
    lines = error_lines(built.pio("run", "-j", "1"))
    assert len(lines) == 1
    assert "keys/other.pem" in lines[0]
    assert built.artifacts == before
