"""Steps as JSON: how a build system that is not Python keeps them until it runs them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec

from fotabuild.errors import FormatError
from fotabuild.steps.delta import DeltaStep
from fotabuild.steps.factory import FactoryStep
from fotabuild.steps.image import ImageStep
from fotabuild.steps.manifest import ManifestStep
from fotabuild.steps.package import PackageStep
from fotabuild.steps.resources import ResourcesStep
from fotabuild.steps.step import Step, StepKind

_CLASSES: dict[StepKind, type[Step]] = {
    step.kind: step
    for step in (ResourcesStep, ImageStep, DeltaStep, PackageStep, ManifestStep, FactoryStep)
}


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
        kind = _CLASSES[StepKind(values["kind"])]
        step: Step = msgspec.convert(values["step"], kind, dec_hook=_from_builtin)
        matches = step.signature() == values["signature"]
    except (msgspec.MsgspecError, ValueError, KeyError, TypeError):
        matches = False
    if not matches:
        raise FormatError(
            "this is not a step of this version of fotabuild", remedy="configure the build again"
        )
    return step


def _to_builtin(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    raise NotImplementedError(type(value))


def _from_builtin(kind: type, value: Any) -> Any:
    if kind is Path:
        return Path(value)
    raise NotImplementedError(kind)
