"""Running steps as SCons actions, and the signatures by which SCons knows when to."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from SCons.Action import Action
from SCons.Errors import BuildError

from fotabuild.delta.parallel import ample_stacks
from fotabuild.digest import sha256
from fotabuild.errors import FotabuildError
from fotabuild.steps.step import Step, StepKind

#: Construction variable that holds, per target, how to make its step.
STEP_VARIABLE = "FOTASTEP"

#: Makes the step of a target at build time, when generated inputs exist.
StepFactory = Callable[[list[Any], list[Any], Any], Step]
_Result = TypeVar("_Result")


def command_variable(kind: StepKind) -> str:
    """Return the construction variable with the action of a kind; manifests share theirs."""
    return f"FOTA{StepKind.MANIFEST.name if kind.is_manifest else kind.name}COM"


def step_action(kind: StepKind) -> Any:
    """Return the action that runs steps of this kind."""
    return Action(
        _run,
        cmdstr=f"${command_variable(kind)}STR",
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
        text = step.signature()
    except FotabuildError as error:
        text = f"unusable: {error}"
    # SCons expands what it gets: words behind a dollar sign, in a URL say, would not count.
    return sha256(text.encode()).hex()


def _run(target: list[Any], source: list[Any], env: Any) -> None:
    try:
        result = with_ample_stack(env[STEP_VARIABLE](target, source, env).run)
    except FotabuildError as error:
        raise BuildError(node=target[0], errstr=f"{error} [{error.code}]") from None
    for warning in result.warnings:
        sys.stderr.write(f"fotabuild: warning: {warning}\n")


def with_ample_stack(function: Callable[[], _Result]) -> _Result:
    """Call ``function``, outside the main thread in a thread of its own with a stack for C code."""
    if threading.current_thread() is threading.main_thread():
        return function()
    with ThreadPoolExecutor(max_workers=1) as executor:
        with ample_stacks():
            future = executor.submit(function)
        return future.result()
