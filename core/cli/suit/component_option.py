"""The option ``-c 'file=PATH,inst=ID,uri=URI'`` of ``create``. The id is data, and never run."""

from __future__ import annotations

import json
import re

from fotabuild.errors import UsageError
from fotabuild.formats.suit.json_node import Node

_KEYS = {"file": "file", "inst": "install-id", "uri": "uri"}
_FIELD = re.compile(r"(?:^|,)(file|inst|uri)=")
_REMEDY = "write -c \"file=PATH,inst=['00'],uri=URI\""


def component_entry(text: str) -> Node:
    """Return the entry of ``components`` that the option stands for.

    Raises:
        UsageError: another form.
    """
    before, *parts = _FIELD.split(text)
    values: dict[str, object] = {}
    for name, value in zip(parts[::2], parts[1::2], strict=True):
        if _KEYS[name] in values:
            raise UsageError(f"-c names {name} twice", remedy=_REMEDY)
        values[_KEYS[name]] = _list(value) if name == "inst" else value
    if before or "file" not in values or "install-id" not in values:
        raise UsageError(f"-c needs file and inst, not {text[:60]!r}", remedy=_REMEDY)
    return Node(values, "-c", [])


def _list(text: str) -> object:
    """Read a list of texts, with single quotes too, as people write them for a shell."""
    quoted = text if '"' in text or "\\" in text else text.replace("'", '"')
    try:
        return json.loads(quoted)
    except (ValueError, RecursionError):
        raise UsageError(f"-c: {text[:40]!r} is not a list of texts", remedy=_REMEDY) from None
