"""The action behind ``update-verify``: look at the finished files as a device would."""

from __future__ import annotations

import sys
from typing import Any

from SCons.Errors import BuildError

from fotabuild.device.report import Verdict
from fotabuild.errors import FotabuildError
from fotabuild.plan.plan import Plan
from fotabuild.steps.manifest import ManifestStep
from fotabuild.steps.manifest_v1 import ManifestV1Step
from fotabuild.steps.suit import SuitStep


def verify_artifacts(plan: Plan, target: Any) -> None:
    """Check every manifest of a plan with its payload.

    Args:
        plan: the plan, whose steps have been run.
        target: the node that stands for the verification.

    Raises:
        BuildError: a file cannot be read, or a device would refuse a manifest.
    """
    refused = 0
    for step in plan.steps:
        if not isinstance(step, ManifestStep | ManifestV1Step | SuitStep):
            continue
        try:
            report = step.verify()
        except FotabuildError as error:
            raise BuildError(node=target, errstr=f"{error} [{error.code}]") from None
        passed = sum(result.verdict is Verdict.PASSED for result in report.results)
        verdict = "accepted" if report.accepted else "refused"
        sys.stdout.write(f"{verdict}: {step.output.name}, {passed} checks passed\n")
        for failure in report.failures:
            sys.stderr.write(f"error: {step.output.name}: {failure.name}: {failure.detail}\n")
        refused += not report.accepted
    if refused:
        raise BuildError(node=target, errstr=f"a device would refuse {refused} manifests")
