"""What these programs take from the environment, as they have no ``fotabuild.yaml``."""

from __future__ import annotations

import os
import re

from fotabuild.errors import FotabuildError

#: Says where the passphrase of a key or the PIN of a token comes from, such as ``env:NAME``.
PASSPHRASE = "FOTABUILD_CREDENTIALS_PASSPHRASE"  # noqa: S105
# Settings that no input of the older tools holds.
_SETTING = re.compile(r"\b(?:credentials|device)(?:\.[a-z-]+)+")


def passphrase_source() -> str | None:
    """Return the source of the passphrase, if one is named."""
    return os.environ.get(PASSPHRASE) or None


def with_variables(error: FotabuildError) -> str:
    """Return the message of an error, and the variables of the settings that it mentions."""
    from fotabuild.config.fields import project_fields

    text = f"{error.field or ''} {error.problem} {error.remedy or ''}"
    names = dict.fromkeys(_SETTING.findall(text))
    variables = {field.name: field.variable for field in project_fields()}
    found = [
        variables[name]
        for name in names
        if name in variables
        and name not in ("device.model-name", "device.class-id")
        and variables[name] not in text
    ]
    return f"{error}; here: {', '.join(found)} in the environment" if found else str(error)
