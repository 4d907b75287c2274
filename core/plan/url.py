"""Payload URLs: templates with a closed set of names."""

from __future__ import annotations

import string
from urllib.parse import quote

from fotabuild.errors import ConfigError
from fotabuild.steps.payload_manifest import DIGEST_PLACEHOLDER

_NAMES = ("file", "version", "from", "component", "digest")


def expand_url(template: str, values: dict[str, str], field: str = "payload.url") -> str:
    """Fill in a payload URL.

    Args:
        template: text with ``{file}``, ``{version}``, ``{from}``, ``{component}``, ``{digest}``;
            doubled braces stand for themselves.
        values: what the names stand for; one without a value (``{from}`` of a full image) is left
            out, ``{digest}`` becomes a placeholder, since the payload is not known yet.
        field: the setting that it is, for messages.

    Raises:
        ConfigError: an unknown name, or braces that do not match.
    """
    parts = []
    try:
        fields = list(string.Formatter().parse(template))
    except ValueError as error:
        raise _problem(f"braces do not match: {error}", field) from None
    for literal, name, specification, conversion in fields:
        parts.append(literal)
        if name is None:
            continue
        if name not in _NAMES or specification or conversion:
            raise _problem(f"unknown name {{{name}}} in the URL", field)
        value = quote(values.get(name, ""), safe="", errors="surrogateescape")
        parts.append(DIGEST_PLACEHOLDER if name == "digest" else value)
    return "".join(parts)


def _problem(problem: str, field: str) -> ConfigError:
    return ConfigError(
        problem, field=field, remedy=f"known are {', '.join(f'{{{n}}}' for n in _NAMES)}"
    )
