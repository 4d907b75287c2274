"""The JSON schema of ``fotabuild.yaml``, generated from the model."""

from __future__ import annotations

import inspect
from typing import Any

import msgspec

from fotabuild.config.model import Project


def project_schema() -> dict[str, Any]:
    """Return the schema, draft 2020-12, as JSON-like values."""
    schema = msgspec.json.schema(Project)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fotabuild.yaml",
        **_in_one_form(schema),
    }


def _in_one_form(node: Any) -> Any:
    """Undo what differs by release: msgspec's order of alternatives, Python's docstrings."""
    if isinstance(node, list):
        return [_in_one_form(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: _in_one_form(value) for key, value in node.items()}
    if isinstance(text := result.get("description"), str):
        # Of an enumeration it is the docstring, which Python 3.13 strips of its indentation.
        result["description"] = inspect.cleandoc(text)
    if "anyOf" in result:
        result["anyOf"].sort(key=lambda kind: kind.get("type") == "null")
    return result
