"""Run a plan in this process, one step after the other."""

from __future__ import annotations

from collections.abc import Callable

from fotabuild.plan.plan import Plan
from fotabuild.steps.step import Step, StepResult


def run_plan(plan: Plan, report: Callable[[Step, StepResult], None]) -> None:
    """Run all steps; ``report`` hears of each that is done.

    Raises:
        FotabuildError: from the first step that fails; later steps are not run, finished
            artifacts stay.
    """
    for step in plan.steps:
        report(step, step.run())
