"""The JSON schema of ``fotabuild.yaml``, generated from the model."""

from __future__ import annotations

from typing import Any

import msgspec

from fotabuild.config.model import Project


def project_schema() -> dict[str, Any]:
    """Return the schema, draft 2020-12, as JSON-like values."""
    schema = msgspec.json.schema(Project)
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "fotabuild.yaml",
        **_with_null_last(schema),
    }


def _with_null_last(node: Any) -> Any:
    """Put ``null`` last in alternatives; releases of msgspec order them differently."""
    if isinstance(node, list):
        return [_with_null_last(item) for item in node]
    if not isinstance(node, dict):
        return node
    result = {key: _with_null_last(value) for key, value in node.items()}
    if "anyOf" in result:
        result["anyOf"].sort(key=lambda kind: kind.get("type") == "null")
    return result
