"""Just enough of JSON Schema to check a value against ours, so that no dependency is needed."""

from __future__ import annotations

import re
from typing import Any

_TYPES: dict[str, tuple[type, ...]] = {
    "object": (dict,),
    "array": (list,),
    "string": (str,),
    "boolean": (bool,),
    "null": (type(None),),
    "integer": (int,),
}
# Every keyword that the checker knows; another one in a schema is an error, not ignored.
_NOTES = {"title", "description", "default", "$schema", "$defs"}
_CHECKS = {
    "$ref", "anyOf", "type", "enum", "properties", "required", "additionalProperties", "items",
    "minItems", "maxItems", "minLength", "pattern", "minimum", "maximum",
}  # fmt: skip


def accepts(schema: dict[str, Any], value: Any) -> bool:
    """Whether the schema, a whole document, accepts ``value``."""
    return _accepts(schema, value, schema.get("$defs", {}))


def _accepts(schema: dict[str, Any], value: Any, definitions: dict[str, Any]) -> bool:
    unknown = set(schema) - _NOTES - _CHECKS
    assert not unknown, f"the checker does not know {unknown}"
    if "$ref" in schema:
        name = schema["$ref"].removeprefix("#/$defs/")
        if not _accepts(definitions[name], value, definitions):
            return False
    if "anyOf" in schema and not any(_accepts(s, value, definitions) for s in schema["anyOf"]):
        return False
    if "enum" in schema and value not in schema["enum"]:
        return False
    if "type" in schema and not _has_type(schema["type"], value):
        return False
    if isinstance(value, dict):
        return _object(schema, value, definitions)
    if isinstance(value, list):
        return _array(schema, value, definitions)
    if isinstance(value, str):
        return len(value) >= schema.get("minLength", 0) and (
            re.search(schema.get("pattern", ""), value) is not None
        )
    if isinstance(value, int) and not isinstance(value, bool):
        low, high = schema.get("minimum", value), schema.get("maximum", value)
        return bool(low <= value <= high)
    return True


def _has_type(kind: str, value: Any) -> bool:
    return isinstance(value, _TYPES[kind]) and not (kind == "integer" and isinstance(value, bool))


def _object(schema: dict[str, Any], value: dict[str, Any], definitions: dict[str, Any]) -> bool:
    properties = schema.get("properties", {})
    if not set(schema.get("required", ())) <= set(value):
        return False
    if schema.get("additionalProperties") is False and not set(value) <= set(properties):
        return False
    return all(
        _accepts(properties[key], item, definitions)
        for key, item in value.items()
        if key in properties
    )


def _array(schema: dict[str, Any], value: list[Any], definitions: dict[str, Any]) -> bool:
    if not schema.get("minItems", 0) <= len(value) <= schema.get("maxItems", len(value)):
        return False
    return all(_accepts(schema.get("items", {}), item, definitions) for item in value)
