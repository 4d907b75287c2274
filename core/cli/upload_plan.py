"""Which payloads of a build a service could send, and what has to be built for each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec

from fotabuild.config.loader import LoadedConfig
from fotabuild.config.model import ManifestFormat
from fotabuild.digest import sha256
from fotabuild.errors import ServiceError, UsageError
from fotabuild.files.reading import read_file
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.limits import READ_LIMITS
from fotabuild.plan.build import Build
from fotabuild.plan.plan import Plan, make_plan
from fotabuild.publish.grouping import FULL, Payload
from fotabuild.publish.updates import Stored
from fotabuild.steps.manifest import EncryptedPayload, ManifestStep
from fotabuild.steps.manifest_v1 import ManifestV1Step
from fotabuild.steps.step import Step

PACKAGE = "package"
# Stands in manifests of the plan; each gets the URL that the service gives to its payload.
_NO_URL = "https://set-by-the-service.invalid/{file}"
_ENCRYPTED = {
    PayloadFormat.RAW_BINARY: PayloadFormat.ENCRYPTED_RAW,
    PayloadFormat.COMBINED: PayloadFormat.ENCRYPTED_COMBINED,
}


@dataclass(frozen=True)
class Candidate:
    """A payload that could be sent.

    Attributes:
        key: its name within the run.
        manifest: the step that describes it, still without the service's URL.
        steps: what makes the payload, in order.
    """

    key: str
    manifest: ManifestStep | ManifestV1Step
    steps: tuple[Step, ...]

    def payload(self) -> Payload:
        """Return what grouping needs to know; reads the old image of a delta."""
        precursor = self.manifest.precursor
        if precursor is None:
            return Payload(self.key)
        image = read_file(precursor.image, READ_LIMITS.image, "precursor image")
        return Payload(self.key, sha256(image).hex())


def plan_for_service(config: LoadedConfig, build: Build) -> Plan:
    """Return the plan of a build whose payload URLs the service will choose."""
    if config.project.payload.url is None:
        payload = msgspec.structs.replace(config.project.payload, url=_NO_URL)
        project = msgspec.structs.replace(config.project, payload=payload)
        config = replace(config, project=project)
    return make_plan(config, build, reported_here=False)


def schema_to_send(config: LoadedConfig, wanted: str | None) -> ManifestFormat:
    """Return the schema of the manifests to send: v3 where the project makes such.

    Raises:
        UsageError: the project makes no manifests of the schema that is wanted.
    """
    made = config.project.formats
    if wanted is None:
        return ManifestFormat.V3 if ManifestFormat.V3 in made else ManifestFormat.V1
    if ManifestFormat(wanted) not in made:
        raise UsageError(
            f"this project makes no {wanted} manifests", remedy=f"add {wanted} to 'formats'"
        )
    return ManifestFormat(wanted)


def candidates(plan: Plan, schema: ManifestFormat = ManifestFormat.V3) -> list[Candidate]:
    """Return the payloads of a plan: the full image, deltas from the oldest on, the package.

    Args:
        plan: of a build.
        schema: of the manifests; there is no v1 manifest of a package.
    """
    kind = ManifestStep if schema is ManifestFormat.V3 else ManifestV1Step
    makers = {path: step for step in plan.steps for path in step.outputs}
    found = []
    for step in plan.steps:
        if isinstance(step, (ManifestStep, ManifestV1Step)) and isinstance(step, kind):
            key = FULL
            if step.precursor is not None:
                key = f"from-{step.precursor.version}"
            elif step.payload_format is PayloadFormat.COMBINED:
                key = PACKAGE
            needed: dict[Step, None] = {}
            _collect(step, makers, needed)
            found.append(Candidate(key, step, tuple(s for s in plan.steps if s in needed)))
    return found


def _collect(step: Step, makers: dict[Path, Step], needed: dict[Step, None]) -> None:
    for path in step.inputs:
        maker = makers.get(path)
        if maker is not None and maker not in needed:
            _collect(maker, makers, needed)
            needed[maker] = None


def choose(
    found: Sequence[Candidate], *, full: bool, package: bool, delta_from: str | None, encrypt: bool
) -> list[Candidate]:
    """Return the candidates that the options leave.

    Raises:
        UsageError: none is left, or they exclude each other.
    """
    keys = {candidate.key for candidate in found}
    if encrypt and delta_from is not None:
        raise UsageError("there is no payload format for a delta that is encrypted")
    if package:
        wanted = {PACKAGE}
    elif delta_from is not None:
        wanted = {f"from-{delta_from}"}
    elif full or encrypt:  # There is no payload format for a delta that is encrypted.
        wanted = {FULL}
    else:
        wanted = keys - {PACKAGE}
    if not wanted & keys:
        raise UsageError(
            f"this build has no payload {', '.join(sorted(wanted))}",
            remedy=f"it has {', '.join(sorted(keys))}",
        )
    return [candidate for candidate in found if candidate.key in wanted]


def manifest_maker(
    candidate: Candidate, *, encrypt: bool, short_url: bool, warn: Callable[[str], None]
) -> Callable[[Stored], bytes]:
    """Return what makes the manifest once the service has the payload."""

    def make(stored: Stored) -> bytes:
        url = stored.short_url if short_url else stored.url
        if not url:
            raise ServiceError("the service gave no short URL", remedy="leave --short-url away")
        with TemporaryDirectory() as folder:
            step = replace(
                candidate.manifest, url=url, output=Path(folder) / candidate.manifest.output.name
            )
            if encrypt and isinstance(step, ManifestStep):
                if stored.encrypted_digest is None or stored.encrypted_size is None:
                    raise ServiceError("the service did not encrypt the payload")
                step = replace(
                    step,
                    payload_format=_ENCRYPTED[step.payload_format],
                    encrypted=EncryptedPayload(stored.encrypted_digest, stored.encrypted_size),
                )
            for warning in step.run().warnings:
                warn(warning)
            return read_file(step.output, READ_LIMITS.manifest, "manifest")

    return make
