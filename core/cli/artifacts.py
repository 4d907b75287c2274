"""Run steps from the command line and report what they made."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus
from fotabuild.files.folders import renames_flushed_together

if TYPE_CHECKING:
    from pathlib import Path

    from fotabuild.cli.deltas import BuildDeltas
    from fotabuild.steps.step import Step, StepResult


def run_steps(
    args: argparse.Namespace,
    output: Output,
    steps: Sequence[Step],
    deltas: BuildDeltas | None = None,
) -> int:
    """Run ``steps`` in order, or say what they would do with ``--dry-run``.

    Args:
        args: parsed options.
        output: hears of each step.
        steps: the steps.
        deltas: runs them, if some may be left out; its notes are part of the result.
    """
    made: list[Path] = []
    done: list[dict[str, Any]] = []
    said: set[str] = set()
    with renames_flushed_together():
        for step in steps:
            if args.dry_run:
                output.say(f"would make {step.name}")
            else:
                result = step.run() if deltas is None else deltas.run(step)
                if result is None:
                    continue
                say_result(output, step, result, said)
            made += step.outputs
            if output.as_json:
                done.append(describe(step))
    values = {"dry-run": args.dry_run, "steps": done}
    if deltas is not None:
        values["notes"] = deltas.notes
    output.result(values, "\n".join(str(path) for path in made))
    return ExitStatus.OK


def describe(step: Step) -> dict[str, Any]:
    """Return a step as JSON-like values; ``description`` is for ``fotabuild step``."""
    from fotabuild.steps.description import describe_step

    return {
        "name": step.name,
        "kind": step.kind.value,
        "inputs": [str(path) for path in step.inputs],
        "outputs": [str(path) for path in step.outputs],
        "parameters": dict(step.parameters),
        "description": describe_step(step),
    }


def say_result(output: Output, step: Step, result: StepResult, said: set[str]) -> None:
    """Tell people what a step made; a warning that was said before is not said again."""
    output.say(f"{step.kind.value:<10}{step.outputs[0].name}: {result.summary}")
    for warning in result.warnings:
        if warning not in said:
            output.warn(warning)
        said.add(warning)
