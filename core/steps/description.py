"""Steps as JSON: how a build system that is not Python keeps them until it runs them."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import msgspec

from fotabuild.errors import FormatError
from fotabuild.steps.step import Step, StepKind


def describe_step(step: Step) -> dict[str, Any]:
    """Return all that :func:`step_from_description` needs, as JSON-like values.

    The version of fotabuild is among them: a build system that compares descriptions then remakes
    artifacts after an upgrade.
    """
    fields = msgspec.to_builtins(step, enc_hook=_to_builtin, order="deterministic")
    return {"signature": step.signature(), "kind": step.kind.value, "step": fields}


def step_from_description(text: bytes) -> Step:
    """Read a description.

    Raises:
        FormatError: it was not written by this version of fotabuild.
    """
    try:
        values = msgspec.json.decode(text)
        kind = _class_of(StepKind(values["kind"]))
        step = msgspec.convert(values["step"], kind, dec_hook=_from_builtin)
        matches = step.signature() == values["signature"]
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError, RecursionError):
        matches = False
    if not matches:
        raise FormatError(
            "this is not a step of this version of fotabuild", remedy="configure the build again"
        )
    return step


def _class_of(kind: StepKind) -> type[Step]:
    """Import one kind of step only: a build starts a process per step, and imports are its cost."""
    words = kind.value.split("-")
    module = importlib.import_module(f"fotabuild.steps.{'_'.join(words)}")
    step: type[Step] = getattr(module, f"{''.join(map(str.capitalize, words))}Step")
    return step


def _to_builtin(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value))  # So hooks of msgspec say that a type is unknown.


def _from_builtin(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)  # As above.
