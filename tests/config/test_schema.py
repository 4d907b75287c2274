"""The JSON schema says what the loader does, and shows every setting with its description."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fotabuild.config.fields import project_fields
from fotabuild.config.loader import load_config
from fotabuild.config.schema import project_schema
from fotabuild.config.yaml_reader import read_yaml
from fotabuild.errors import ConfigError

from ..conftest import ROOT, VECTORS
from .conftest import Writer
from .json_schema import accepts
from .samples import FULL, MINIMAL
from .test_messages import test_problem_key_and_line

SCHEMA = project_schema()
_CASES = next(mark for mark in test_problem_key_and_line.pytestmark if mark.name == "parametrize")  # type: ignore[attr-defined]
BAD = [(case[0], case[1]) for case in _CASES.args[1]]
# Rules between values, which a schema cannot say in few words; the loader checks them.
BEYOND_THE_SCHEMA = {"  domain: localhost", "- version: 0.0.0", "priority: 8\npublish:\n"}
GOOD = [
    MINIMAL,
    FULL,
    (ROOT / "examples" / "mbed-os" / "fotabuild.yaml").read_text(encoding="utf-8"),
    *(path.read_text(encoding="utf-8") for path in sorted((VECTORS / "v3").glob("*.yaml"))),
    (VECTORS / "v3" / "raw.json").read_text(encoding="utf-8"),
]


@pytest.mark.parametrize("text", GOOD, ids=range(len(GOOD)))
def test_accepts_what_the_loader_accepts(text: str, write: Writer) -> None:
    load_config(write(text), environ={})
    assert accepts(SCHEMA, read_yaml(text.encode()).values)


@pytest.mark.parametrize(("old", "new"), BAD, ids=range(len(BAD)))
def test_refuses_what_the_loader_refuses(old: str, new: str, write: Writer) -> None:
    text = FULL.replace(old, new)
    with pytest.raises(ConfigError):
        load_config(write(text), environ={})
    if new not in BEYOND_THE_SCHEMA:
        assert not accepts(SCHEMA, read_yaml(text.encode()).values)


def node_of(name: str) -> dict[str, Any]:
    """The schema of a setting, with what its references and alternatives say merged in."""
    node: dict[str, Any] = resolve(SCHEMA)
    for part in name.split("."):
        node = resolve(node["properties"][part])
    return node


def resolve(node: dict[str, Any]) -> dict[str, Any]:
    """Follow a reference, or the one alternative that is not null."""
    choices = [choice for choice in node.get("anyOf", ()) if choice != {"type": "null"}]
    if len(choices) == 1:
        return resolve({**choices[0], **node, "anyOf": []})
    if "$ref" in node:
        target = SCHEMA["$defs"][node["$ref"].removeprefix("#/$defs/")]
        rest = {key: value for key, value in node.items() if key != "$ref"}
        return resolve({**target, **rest})
    return node


@pytest.mark.parametrize("field", project_fields(), ids=lambda field: field.name)
def test_every_setting_stands_there_with_its_description(field: Any) -> None:
    assert node_of(field.name)["description"] == field.description


def test_every_section_refuses_unknown_keys_and_has_a_description() -> None:
    sections = [node for node in SCHEMA["$defs"].values() if node.get("type") == "object"]
    assert len(sections) >= 13
    for section in sections:
        assert section["additionalProperties"] is False
        assert section["description"]
        for name, value in section["properties"].items():
            # A list of sections is described by its section.
            described = resolve(value).get("description") or resolve(value["items"])["description"]
            assert described, name
            assert name == name.lower()
            assert "_" not in name


def test_it_is_a_document_of_its_own() -> None:
    assert SCHEMA["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert accepts(json.loads(json.dumps(SCHEMA)), read_yaml(FULL.encode()).values)
    assert SCHEMA["$defs"]["Project"]["required"] == ["vendor", "device"]


def test_defaults_are_those_of_the_loader(write: Writer) -> None:
    """Written out in full, the schema's defaults change nothing."""
    plain = load_config(write(MINIMAL), environ={})
    options = {
        field.name: node_of(field.name)["default"]
        for field in project_fields()
        if node_of(field.name).get("default") is not None
        and not field.name.startswith(("package.", "layout.", "suit.text."))
    }
    assert len(options) > 15
    assert load_config(write(MINIMAL), options=options, environ={}).project == plain.project
