"""The step that makes a signed v1 manifest for one payload, for older update clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from fotabuild.digest import sha256
from fotabuild.errors import in_file
from fotabuild.files.reading import read_file
from fotabuild.files.writing import write_file
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.limits import READ_LIMITS
from fotabuild.steps.payload_manifest import DIGEST_PLACEHOLDER, PayloadManifestStep
from fotabuild.steps.step import StepKind, StepResult

# As in steps.payload_manifest: what only running needs is imported there.
if TYPE_CHECKING:
    from fotabuild.device.manifest_acceptance import Device
    from fotabuild.device.report import AcceptanceReport
    from fotabuild.formats.manifest_v1 import ManifestV1

_LIMITS = ("vendor-data-size", "priority", "uri-size", "image-size")
# From here on numbers stand for semantic versions.
_SEMANTIC_BITS = 55
_PATCH_LIMITS = ("patch-memory", "network-chunk")


@dataclass(frozen=True, kw_only=True)
class ManifestV1Step(PayloadManifestStep):
    """Describe and sign one payload.

    Attributes:
        timestamp: the version after the update, as the number that devices compare.
        certificate: the update certificate; the manifest names it, and the key must match it.
        priority: the update priority; None leaves it out, as old clients need.
    """

    kind = StepKind.MANIFEST_V1
    timestamp: int
    certificate: Path
    priority: int | None = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Every field that does not come from a file, and what the result is checked against."""
        patch = self.payload_format is PayloadFormat.ARM_PATCH_STREAM
        names = (*_LIMITS, *(_PATCH_LIMITS if patch else ()))
        limits = msgspec.to_builtins(self.profile.limits)
        return {
            **super().parameters,
            "priority": self.priority,
            "timestamp": self.timestamp,
            "client": self.profile.client and self.profile.client.value,
            "limits": {name: limits[name] for name in names} if self.profile.enforced else None,
        }

    def run(self) -> StepResult:
        """Read the payload, fill in, sign, check as the device, write."""
        from fotabuild.device.manifest_v1_acceptance import accept_manifest_v1
        from fotabuild.formats.manifest_v1 import encode_resource, encode_signed
        from fotabuild.signing.der_signature import raw_to_der

        payload = self.read_payload()
        manifest = self.unsigned(payload)
        # A field that cannot be written is found before a key is asked for.
        resource = encode_resource(manifest)
        certificate, _ = self.read_certificate()
        signer, public_key = self.open_key()
        signature = raw_to_der(signer.sign(resource))
        data = encode_signed(manifest, signature, sha256(certificate))
        report = accept_manifest_v1(data, self.device(public_key, certificate), payload)
        with in_file(self.output):
            report.require()
        write_file(self.output, data, inputs=self.inputs)
        return StepResult(
            f"{len(data)} bytes, v1 {self.payload_format.value} {self.timestamp}",
            (*self.profile.warnings, *report.warning_texts),
        )

    def verify(self) -> AcceptanceReport:
        """Check the finished manifest and its payload, from the files as they are now.

        Raises:
            FileError: a file cannot be read.
        """
        from fotabuild.device.manifest_v1_acceptance import accept_manifest_v1

        certificate, public_key = self.read_certificate()
        payload = self.read_payload()
        data = read_file(self.output, READ_LIMITS.manifest, "manifest")
        return accept_manifest_v1(data, self.device(public_key, certificate), payload)

    def read_certificate(self) -> tuple[bytes, bytes]:
        """Return the certificate and its public key."""
        from fotabuild.signing.certificate import public_key_of, read_certificate

        certificate = read_certificate(self.certificate)
        with in_file(self.certificate):
            return certificate, public_key_of(certificate)

    def certificate_key(self) -> bytes:
        """Return the public key of the certificate."""
        return self.read_certificate()[1]

    def unsigned(self, payload: bytes) -> ManifestV1:
        """Return the manifest, not yet signed."""
        from fotabuild.formats.manifest_v1 import ManifestV1

        digest = sha256(payload)
        manifest = ManifestV1(
            identity=self.identity,
            timestamp=self.timestamp,
            payload_format=self.payload_format,
            payload_digest=digest,
            payload_size=len(payload),
            payload_uri=self.url.replace(DIGEST_PLACEHOLDER, digest.hex()),
            priority=self.priority,
            vendor_info=self.read_vendor_data() or b"",
        )
        if self.payload_format is not PayloadFormat.ARM_PATCH_STREAM:
            return manifest
        return self.with_patch(manifest, payload)

    def device(self, public_key: bytes | None, certificate: bytes) -> Device:
        """Return what is known of the device that the manifest is for."""
        from fotabuild.device.manifest_acceptance import Device

        # A release with a semantic version may still run with a time stamp on devices.
        known = self.precursor if self.timestamp >> _SEMANTIC_BITS else None
        return Device(
            profile=self.profile,
            public_key=public_key,
            identity=self.identity,
            installed_version=None if known is None else known.version,
            installed_image=self.read_precursor(),
            certificate=certificate,
        )
