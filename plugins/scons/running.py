"""Running steps as SCons actions, and the signatures by which SCons knows when to."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

from SCons.Action import Action
from SCons.Errors import BuildError

from fotabuild.errors import FotabuildError
from fotabuild.steps.step import Step, StepKind

#: Construction variable that holds, per target, how to make its step.
STEP_VARIABLE = "FOTASTEP"

#: Makes the step of a target at build time, when generated inputs exist.
StepFactory = Callable[[list[Any], list[Any], Any], Step]


def step_action(kind: StepKind) -> Any:
    """Return the action that runs steps of this kind."""
    return Action(
        _run,
        cmdstr=f"$FOTA{kind.name}COMSTR",
        varlist=["FOTASIGNATURE"],
    )


def signature_of_target(target: list[Any], source: list[Any], env: Any, for_signature: bool) -> str:
    """Return what, besides the input files, the target depends on (value of ``FOTASIGNATURE``).

    SCons asks when everything that the target waits for is there, also a generated
    configuration. What cannot be read now is reported by the action.
    """
    if not for_signature or STEP_VARIABLE not in env:
        return ""
    try:
        step: Step = env[STEP_VARIABLE](target, source, env)
        return step.signature()
    except FotabuildError as error:
        return f"unusable: {error}"


def _run(target: list[Any], source: list[Any], env: Any) -> None:
    try:
        result = env[STEP_VARIABLE](target, source, env).run()
    except FotabuildError as error:
        raise BuildError(node=target[0], errstr=f"{error} [{error.code}]") from None
    for warning in result.warnings:
        sys.stderr.write(f"fotabuild: warning: {warning}\n")
