"""The step that writes ``update_default_resources.c``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from fotabuild.device.profile import DeviceProfile
from fotabuild.errors import in_file
from fotabuild.files.writing import write_file
from fotabuild.formats.identity import Identity
from fotabuild.steps.step import CheckFile, Step, StepKind, StepResult


@dataclass(frozen=True, kw_only=True)
class ResourcesStep(Step):
    """Make the C source from the identity and the update certificate.

    Attributes:
        identity: vendor and class id.
        certificate: the certificate file, DER or PEM.
        profile: limits of the device; a certificate above its limit would overrun its memory.
        output: the C file; it is left alone when its content stays the same.
    """

    kind = StepKind.RESOURCES
    identity: Identity
    certificate: Path
    profile: DeviceProfile
    output: Path

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The certificate."""
        return (self.certificate,)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The C source."""
        return (self.output,)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Ids and the certificate limit."""
        return {
            "vendor-id": str(self.identity.vendor_id),
            "class-id": str(self.identity.class_id),
            "certificate-size": self.profile.limits.certificate_size
            if self.profile.enforced
            else None,
        }

    def check_inputs(self, check: CheckFile) -> None:  # noqa: ARG002 - it is never made here
        """Read the certificate."""
        self._read_certificate()

    def run(self) -> StepResult:
        """Read the certificate, check its size, write the source."""
        # Imported here: build systems describe steps much more often than they run them.
        from fotabuild.device.resources_acceptance import accept_resources
        from fotabuild.formats.update_resources import UpdateResources

        certificate, public_key = self._read_certificate()
        with in_file(self.certificate):
            resources = UpdateResources(self.identity, certificate, public_key)
        source = resources.encode()
        with in_file(self.output):
            accept_resources(source, resources, self.profile).require()
        write_file(self.output, source, inputs=self.inputs, keep_unchanged=True)
        return StepResult(f"certificate of {len(certificate)} bytes", self.profile.warnings)

    def _read_certificate(self) -> tuple[bytes, bytes]:
        """Return the certificate and its public key."""
        from fotabuild.signing.certificate import public_key_of, read_certificate

        certificate = read_certificate(self.certificate)
        with in_file(self.certificate):
            return certificate, public_key_of(certificate)
