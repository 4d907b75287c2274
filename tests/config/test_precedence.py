"""Option over environment over build system over file over default, and who gave what."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from fotabuild.config.fields import project_fields
from fotabuild.config.loader import LoadedConfig, Origin, Source, load_config
from fotabuild.errors import ConfigError

from .conftest import Writer
from .samples import FULL, MINIMAL, TEXTS

FIELDS = {field.name: field for field in project_fields()}
every_setting = pytest.mark.parametrize("name", FIELDS)


def value_of(config: LoadedConfig, name: str) -> Any:
    node = msgspec.to_builtins(config.project)
    for part in name.split("."):
        node = node[part]
    return list(node) if isinstance(node, tuple) else node


def expected(name: str) -> Any:
    """What the sample text means, by the type of the setting in a complete configuration."""
    text = TEXTS[name]
    if FIELDS[name].is_list:
        return [item.strip() for item in text.split(",")]
    if name in ("component", "device.model-name"):  # Texts that look like numbers.
        return text
    return {"true": True}.get(text, int(text) if text.isdigit() else text)


def test_every_setting_has_a_sample_and_a_variable_of_its_own() -> None:
    assert set(TEXTS) == set(FIELDS)
    assert len({field.variable for field in FIELDS.values()}) == len(FIELDS)
    assert FIELDS["device.limits.uri-size"].variable == "FOTABUILD_DEVICE_LIMITS_URI_SIZE"
    assert all(field.description for field in FIELDS.values())


@every_setting
def test_every_setting_is_reached_by_its_variable(name: str, write: Writer) -> None:
    field = FIELDS[name]
    config = load_config(write(FULL), environ={field.variable: TEXTS[name]})
    assert value_of(config, name) == expected(name)
    assert config.origin(name) == Origin(Source.ENVIRONMENT, field.variable)


@every_setting
def test_every_setting_is_reached_by_the_build_system_and_by_an_option(
    name: str, write: Writer
) -> None:
    path = write(FULL)
    for source, config in (
        (Source.OPTION, load_config(path, options={name: TEXTS[name]}, environ={})),
        (Source.BUILD_SYSTEM, load_config(path, build_system={name: TEXTS[name]}, environ={})),
    ):
        assert value_of(config, name) == expected(name)
        assert config.origin(name) == Origin(source, name)


@every_setting
def test_the_stronger_source_wins(name: str, write: Writer) -> None:
    path, variable = write(FULL), FIELDS[name].variable
    good = {name: TEXTS[name]}
    from_file = load_config(path, environ={})
    over_file = load_config(path, build_system=good, environ={})
    over_system = load_config(path, build_system=good, environ={variable: TEXTS[name]})
    over_all = load_config(path, build_system=good, environ={variable: TEXTS[name]}, options=good)
    sources = [config.origin(name).source for config in (over_file, over_system, over_all)]
    assert sources == [Source.BUILD_SYSTEM, Source.ENVIRONMENT, Source.OPTION]
    assert from_file.origin(name).source in (Source.FILE, Source.DEFAULT)


def test_values_follow_the_precedence(write: Writer) -> None:
    path, variable = write(FULL), "FOTABUILD_PRIORITY"
    found = [
        load_config(write(MINIMAL), environ={}),
        load_config(write(FULL), environ={}),
        load_config(path, build_system={"priority": 11}, environ={}),
        load_config(path, build_system={"priority": 11}, environ={variable: "12"}),
        load_config(
            path,
            build_system={"priority": 11},
            environ={variable: "12"},
            options={"priority": "13"},
        ),
    ]
    assert [config.project.priority for config in found] == [0, 7, 11, 12, 13]
    assert [str(config.origin("priority")) for config in found] == [
        "default",
        "file fotabuild.yaml:11",
        "build system priority",
        "environment FOTABUILD_PRIORITY",
        "option priority",
    ]


def test_an_empty_variable_is_not_set(write: Writer) -> None:
    config = load_config(write(FULL), environ={"FOTABUILD_PRIORITY": ""})
    assert (config.project.priority, config.origin("priority").source) == (7, Source.FILE)


def test_unknown_setting_of_an_option_is_named(write: Writer) -> None:
    with pytest.raises(ConfigError, match="there is no such setting") as caught:
        load_config(write(FULL), options={"payload.urls": "x"}, environ={})
    assert caught.value.field == "payload.urls"


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("priority", "many"),
        ("priority", "-1"),
        ("priority", "1.5"),
        ("sign-image", "perhaps"),
        ("device.features", "delta,teleport"),
        ("payload.format", "zip"),
        ("vendor.vendor-id", "123"),
        ("delta.block-size", "63"),
        ("component", ""),
    ],
)
def test_unusable_text_names_setting_and_source(name: str, text: str, write: Writer) -> None:
    with pytest.raises(ConfigError) as caught:
        load_config(write(FULL), options={name: text}, environ={})
    assert caught.value.field == name
    assert f"(from option {name})" in caught.value.problem
    if text:
        variable = FIELDS[name].variable
        with pytest.raises(ConfigError, match=f"from environment {variable}"):
            load_config(write(FULL), environ={variable: text})


def test_without_a_file_the_other_sources_suffice() -> None:
    options = {"vendor.domain": "acme.com", "device.model-name": "Toaster"}
    config = load_config(None, options=options, environ={})
    assert (config.file, config.project.component) == (None, "MAIN")
    with pytest.raises(ConfigError, match="required and missing") as caught:
        load_config(None, environ={})
    assert caught.value.field == "vendor"
