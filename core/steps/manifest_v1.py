"""The step that makes a signed v1 manifest for one payload, for older update clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from fotabuild.device.profile import DeviceProfile
from fotabuild.errors import in_file
from fotabuild.files import read_file, sha256, write_file
from fotabuild.formats.identity import Identity
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.signer import KeyAccess, key_file, open_signer, tool_file
from fotabuild.steps.manifest import DIGEST_PLACEHOLDER, Precursor
from fotabuild.steps.step import Step, StepKind, StepResult

# As in steps.manifest: what only running needs is imported there.
if TYPE_CHECKING:
    from fotabuild.device.manifest_acceptance import Device
    from fotabuild.device.report import AcceptanceReport
    from fotabuild.formats.manifest_v1 import ManifestV1

_LIMITS = ("vendor-data-size", "priority", "uri-size", "image-size")
# From here on numbers stand for semantic versions.
_SEMANTIC_BITS = 55
_PATCH_LIMITS = ("patch-memory", "network-chunk")


@dataclass(frozen=True, kw_only=True)
class ManifestV1Step(Step):
    """Describe and sign one payload.

    Attributes:
        identity: vendor and class id.
        timestamp: the version after the update, as the number that devices compare.
        url: where devices download the payload; the placeholder stands for its SHA-256.
        payload_format: raw-binary or arm-patch-stream.
        payload: the payload file.
        key: URI of the private key.
        certificate: the update certificate; the manifest names it, and the key must match it.
        profile: abilities and limits of the device.
        output: the manifest.
        access: how the key is reached.
        priority: the update priority; None leaves it out, as old clients need.
        vendor_data: custom data to carry.
        sidecar: the YAML beside a patch.
        precursor: where a patch starts from; with it the patch is applied as a check.
    """

    kind = StepKind.MANIFEST_V1
    identity: Identity
    timestamp: int
    url: str
    payload_format: PayloadFormat
    payload: Path
    key: str
    certificate: Path
    profile: DeviceProfile
    output: Path
    access: KeyAccess = field(default_factory=KeyAccess)
    priority: int | None = None
    vendor_data: Path | None = None
    sidecar: Path | None = None
    precursor: Precursor | None = None

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Payload, side file, precursor image, key file, certificate and vendor data."""
        candidates = (
            self.payload,
            self.sidecar,
            None if self.precursor is None else self.precursor.image,
            key_file(self.key, self.access),
            tool_file(self.access),
            self.certificate,
            self.vendor_data,
        )
        return tuple(path for path in candidates if path is not None)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The manifest."""
        return (self.output,)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Every field that does not come from a file, and what the result is checked against."""
        patch = self.payload_format is PayloadFormat.ARM_PATCH_STREAM
        names = (*_LIMITS, *(_PATCH_LIMITS if patch else ()))
        limits = msgspec.to_builtins(self.profile.limits)
        return {
            "vendor-id": str(self.identity.vendor_id),
            "class-id": str(self.identity.class_id),
            "priority": self.priority,
            "timestamp": self.timestamp,
            "url": self.url,
            "payload-format": self.payload_format.value,
            "precursor-version": str(self.precursor.version) if self.precursor else None,
            # A key in a file is an input; any other is known by its name only.
            "key": self.key if key_file(self.key, self.access) is None else None,
            "signing-tool": self.access.tool and Path(self.access.tool).name,
            "client": self.profile.client and self.profile.client.value,
            "features": sorted(feature.value for feature in self.profile.features),
            "limits": {name: limits[name] for name in names} if self.profile.enforced else None,
        }

    def run(self) -> StepResult:
        """Read the payload, fill in, sign, check as the device, write."""
        from fotabuild.device.manifest_v1_acceptance import accept_manifest_v1
        from fotabuild.formats.manifest_v1 import encode_resource, encode_signed
        from fotabuild.signing.certificate import require_pair
        from fotabuild.signing.der_signature import raw_to_der

        payload = read_file(self.payload, READ_LIMITS.package, "payload")
        manifest = self.unsigned(payload)
        # A field that cannot be written is found before a key is asked for.
        resource = encode_resource(manifest)
        certificate, public_key = self.read_certificate()
        signer = open_signer(self.key, self.access, public_key)
        require_pair(public_key, signer.public_key(), self.certificate)
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
        payload = read_file(self.payload, READ_LIMITS.package, "payload")
        data = read_file(self.output, READ_LIMITS.manifest, "manifest")
        return accept_manifest_v1(data, self.device(public_key, certificate), payload)

    def read_certificate(self) -> tuple[bytes, bytes]:
        """Return the certificate and its public key."""
        from fotabuild.signing.certificate import public_key_of, read_certificate

        certificate = read_certificate(self.certificate)
        with in_file(self.certificate):
            return certificate, public_key_of(certificate)

    def unsigned(self, payload: bytes) -> ManifestV1:
        """Return the manifest, not yet signed."""
        from fotabuild.formats.manifest_v1 import ManifestV1
        from fotabuild.steps.manifest_inputs import read_sidecar

        digest = sha256(payload)
        manifest = ManifestV1(
            identity=self.identity,
            timestamp=self.timestamp,
            payload_format=self.payload_format,
            payload_digest=digest,
            payload_size=len(payload),
            payload_uri=self.url.replace(DIGEST_PLACEHOLDER, digest.hex()),
            priority=self.priority,
            vendor_info=b""
            if self.vendor_data is None
            else read_file(self.vendor_data, READ_LIMITS.vendor_data, "vendor data"),
        )
        if self.payload_format is not PayloadFormat.ARM_PATCH_STREAM:
            return manifest
        sidecar = read_sidecar(self.payload, payload, self.sidecar)
        return replace(
            manifest,
            installed_size=sidecar.installed_size,
            installed_digest=sidecar.installed_digest,
            precursor_digest=sidecar.precursor_digest,
        )

    def device(self, public_key: bytes | None, certificate: bytes) -> Device:
        """Return what is known of the device that the manifest is for."""
        from fotabuild.device.manifest_acceptance import Device

        image = version = None
        if self.precursor is not None:
            image = read_file(self.precursor.image, READ_LIMITS.image, "precursor image")
            version = self.precursor.version
        return Device(
            profile=self.profile,
            public_key=public_key,
            identity=self.identity,
            # A release with a semantic version may still run with a time stamp on devices.
            installed_version=version if self.timestamp >> _SEMANTIC_BITS else None,
            installed_image=image,
            certificate=certificate,
        )
