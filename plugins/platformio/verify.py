"""The action behind ``update-verify``: look at the finished files as a device would."""

from __future__ import annotations

import sys
from typing import Any

from SCons.Errors import BuildError

from fotabuild.device.manifest_acceptance import Device, accept_manifest
from fotabuild.device.report import AcceptanceReport, Verdict
from fotabuild.errors import ConfigError, FotabuildError
from fotabuild.files import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.plan.plan import Plan
from fotabuild.signing.certificate import public_key_of, read_certificate
from fotabuild.steps.manifest import ManifestStep


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
        if not isinstance(step, ManifestStep):
            continue
        try:
            report = verify_manifest(step)
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


def verify_manifest(step: ManifestStep) -> AcceptanceReport:
    """Check the manifest that a step made, and its payload, from the files as they are now.

    Raises:
        ConfigError: the project names no certificate, so the device's key is not known.
        FileError: a file cannot be read.
    """
    if step.certificate is None:
        raise ConfigError("needed to verify and missing", field="credentials.certificate")
    version = image = None
    if step.precursor is not None:
        version = step.precursor.version
        image = read_file(step.precursor.image, READ_LIMITS.image, "precursor image")
    device = Device(
        profile=step.profile,
        public_key=public_key_of(read_certificate(step.certificate)),
        identity=step.identity,
        installed_version=version,
        installed_image=image,
    )
    manifest = read_file(step.output, READ_LIMITS.manifest, "manifest")
    payload = None
    if not step.payload_format.encrypted:
        payload = read_file(step.payload, READ_LIMITS.package, "payload")
    return accept_manifest(manifest, device, payload)
