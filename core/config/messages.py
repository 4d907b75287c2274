"""Turn validation errors of the model into messages with the key, the file and the line."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from fotabuild.config.fields import project_fields
from fotabuild.errors import ConfigError

_PATH = re.compile(r" - at `(?P<path>\$[^`]*)`$")
_UNKNOWN = re.compile(r"Object contains unknown field `(?P<key>.*)`", re.DOTALL)
_FORM = "Expected `str` matching regex"
_EMPTY = "Expected `str` of length >= 1"
_FORMS = {
    "vendor-id": "32 hexadecimal digits, dashes allowed",
    "class-id": "32 hexadecimal digits, dashes allowed",
    "version": "MAJOR.MINOR.PATCH",
    "passphrase": "env:NAME, fd:NUMBER or prompt, never the secret itself",
    "digest": "64 hexadecimal digits",
    "access-key": "env:NAME, file:PATH or fd:N: where the key is, never the key itself",
    "service": "https://HOST, or http://127.0.0.1:PORT",
}
_MISSING = re.compile(r"Object missing required field `(?P<key>.*)`", re.DOTALL)


def explain(
    error: msgspec.ValidationError | ConfigError, file: Path | None, lines: Mapping[str, int]
) -> ConfigError:
    """Return a :class:`ConfigError` that says where ``error`` is.

    Args:
        error: from the conversion to the model, or from a check behind it.
        file: the configuration file.
        lines: line of each value in it by path.
    """
    if isinstance(error, ConfigError):
        path = f"$.{error.field}" if error.field else "$"
        problem, remedy = error.problem, error.remedy
    else:
        problem, path, remedy = _read(str(error))
    line = _line(path, lines)
    return ConfigError(
        problem,
        file=None if line is None else file,
        field=path.removeprefix("$").removeprefix(".") or None,
        line=line,
        remedy=remedy,
    )


def _read(text: str) -> tuple[str, str, str | None]:
    """Return problem, path and remedy of a message of msgspec."""
    match = _PATH.search(text)
    path = match["path"] if match else "$"
    problem = text[: match.start()] if match else text
    if unknown := _UNKNOWN.fullmatch(problem):
        key = unknown["key"]
        return "unknown key", f"{path}.{key}", _suggest(key, path)
    if missing := _MISSING.fullmatch(problem):
        return "this key is required and missing", f"{path}.{missing['key']}", None
    problem, remedy = explain_value(problem, path)
    return problem, path, remedy


def explain_value(problem: str, name: str) -> tuple[str, str | None]:
    """Return problem and remedy of a value that has not the type, range or form of its setting."""
    if problem.startswith(_FORM):
        form = _FORMS.get(name.rpartition(".")[2])
        return "this text has another form", form and f"write {form}"
    if problem == _EMPTY:
        return "this text is empty", None
    quotable = problem.startswith("Expected `str") and not problem.endswith(("`object`", "`array`"))
    remedy = "put the text in quotes" if quotable and ", got `" in problem else None
    return problem[:1].lower() + problem[1:], remedy


def _suggest(key: str, path: str) -> str:
    """Return the closest name in the section at ``path``, or else anywhere."""
    section = f"{path.removeprefix('$').removeprefix('.')}.".lstrip(".")
    fields = [field.name for field in project_fields()]
    here = {
        name.removeprefix(section).partition(".")[0] for name in fields if name.startswith(section)
    }
    everywhere = {part for name in fields for part in name.split(".")}
    everywhere |= {"releases", "image", "version", "package", "images", "file-name", "file"}
    import difflib  # Only wrong names need it.

    for names in (here, everywhere):
        close = difflib.get_close_matches(key.replace("_", "-"), sorted(names), n=1)
        if close:
            return f"did you mean {close[0]!r}?"
    return "see 'fotabuild schema'"


def _line(path: str, lines: Mapping[str, int]) -> int | None:
    """Return the line of ``path``, or of the closest section around it."""
    while path not in lines:
        shorter = max(path.rfind("."), path.rfind("["))
        if shorter <= 0:
            return lines.get("$")
        path = path[:shorter]
    return lines[path]
