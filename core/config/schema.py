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
        **schema,
    }
