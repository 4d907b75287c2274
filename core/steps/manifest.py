"""The step that makes a signed v3 manifest for one payload."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from fotabuild.digest import sha256
from fotabuild.errors import ConfigError, in_file
from fotabuild.files.reading import read_file
from fotabuild.files.writing import write_file
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.limits import READ_LIMITS
from fotabuild.steps.payload_manifest import DIGEST_PLACEHOLDER, PayloadManifestStep
from fotabuild.steps.step import StepKind, StepResult

# As in steps.payload_manifest: what only running needs is imported there.
if TYPE_CHECKING:
    from fotabuild.device.manifest_acceptance import Device
    from fotabuild.device.report import AcceptanceReport
    from fotabuild.formats.manifest_v3 import ManifestV3

_PACKAGE_LIMITS = {
    "sub-components",
    "sub-component-name-size",
    "sub-component-vendor-data-size",
}


@dataclass(frozen=True)
class EncryptedPayload:
    """Digest and size in bytes of a payload after the service encrypted it."""

    digest: bytes
    size: int


@dataclass(frozen=True, kw_only=True)
class ManifestStep(PayloadManifestStep):
    """Describe and sign one payload.

    Attributes:
        component: the component to update.
        priority: the update priority.
        version: the version after the update.
        certificate: the update certificate that the key must match, if there is one.
        sign_image: whether the installed image is signed too.
        encrypted: what the service said of the encrypted payload.
    """

    kind = StepKind.MANIFEST
    component: str
    priority: int
    version: FirmwareVersion
    certificate: Path | None = None
    sign_image: bool = False
    encrypted: EncryptedPayload | None = None

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Every field that does not come from a file, and what the result is checked against."""
        return {
            **super().parameters,
            "component": self.component,
            "priority": self.priority,
            "version": str(self.version),
            "sign-image": self.sign_image,
            "encrypted": None
            if self.encrypted is None
            else [self.encrypted.digest.hex(), self.encrypted.size],
            "limits": self._limits(),
        }

    def _limits(self) -> dict[str, int] | None:
        """Return the limits that the checks of this payload format look at, and perhaps more."""
        if not self.profile.enforced:
            return None
        unused = {"certificate-size"}
        if self.payload_format is not PayloadFormat.ARM_PATCH_STREAM:
            unused |= {"patch-memory", "network-chunk"}
        if self.payload_format is not PayloadFormat.COMBINED:
            unused |= _PACKAGE_LIMITS
        limits = msgspec.to_builtins(self.profile.limits)
        return {name: value for name, value in limits.items() if name not in unused}

    def run(self) -> StepResult:
        """Read the payload, fill in, sign, check as the device, write."""
        from fotabuild.device.manifest_acceptance import accept_manifest

        payload = self.read_payload()
        data, public_key = self.sign(payload)
        report = accept_manifest(data, self.device(public_key), self.downloaded(payload))
        with in_file(self.output):
            report.require()
        write_file(self.output, data, inputs=self.inputs)
        return StepResult(
            f"{len(data)} bytes, {self.payload_format.value} {self.version}",
            (*self.profile.warnings, *report.warning_texts),
        )

    def verify(self) -> AcceptanceReport:
        """Check the finished manifest and its payload, from the files as they are now.

        Raises:
            ConfigError: the project names no certificate, so the device's key is not known.
            FileError: a file cannot be read.
        """
        from fotabuild.device.manifest_acceptance import accept_manifest

        public_key = self.certificate_key()
        if public_key is None:
            raise ConfigError("needed to verify and missing", field="credentials.certificate")
        payload = None if self.payload_format.encrypted else self.read_payload()
        data = read_file(self.output, READ_LIMITS.manifest, "manifest")
        return accept_manifest(data, self.device(public_key), payload)

    def sign(self, payload: bytes) -> tuple[bytes, bytes]:
        """Return the signed manifest, not yet checked as a device does, and the public key."""
        from fotabuild.formats.manifest_v3 import encode_manifest, encode_signed

        manifest = self.unsigned(payload)
        signer, public_key = self.open_key()
        if self.sign_image:
            manifest = replace(
                manifest,
                installed_signature=signer.sign_digest(
                    manifest.image_digest, self._installed_image(payload, manifest)
                ),
            )
        return encode_signed(manifest, signer.sign(encode_manifest(manifest))), public_key

    def unsigned(self, payload: bytes) -> ManifestV3:
        """Return the manifest without the signature of the image."""
        from fotabuild.formats.manifest_v3 import ManifestV3

        digest, size = sha256(payload), len(payload)
        manifest = ManifestV3(
            identity=self.identity,
            update_priority=self.priority,
            component_name=self.component,
            payload_version=str(self.version),
            payload_digest=digest,
            payload_size=size,
            payload_uri=self.url.replace(DIGEST_PLACEHOLDER, digest.hex()),
            payload_format=self.payload_format,
            vendor_data=self.read_vendor_data(),
        )
        if self.payload_format is PayloadFormat.RAW_BINARY:
            return manifest
        if self.payload_format is PayloadFormat.ARM_PATCH_STREAM:
            return self.with_patch(manifest, payload)
        manifest = replace(manifest, installed_size=size, installed_digest=digest)
        if self.encrypted is None:
            return manifest
        return replace(
            manifest,
            payload_digest=self.encrypted.digest,
            payload_size=self.encrypted.size,
            payload_uri=self.url.replace(DIGEST_PLACEHOLDER, self.encrypted.digest.hex()),
        )

    def certificate_key(self) -> bytes | None:
        """Return the public key of the certificate, if there is one."""
        if self.certificate is None:
            return None
        from fotabuild.signing.certificate import public_key_of, read_certificate

        certificate = read_certificate(self.certificate)
        with in_file(self.certificate):
            return public_key_of(certificate)

    def _installed_image(self, payload: bytes, manifest: ManifestV3) -> bytes | None:
        """Return the image after the update, or None when it is not at hand.

        That of a patch is made by applying it; only a signing tool wants it, as it hashes itself.
        """
        if self.payload_format is not PayloadFormat.ARM_PATCH_STREAM:
            return payload
        old = None if self.access.tool is None else self.read_precursor()
        if old is None:
            return None
        from fotabuild.delta.decoder import apply_patch

        with in_file(self.payload):
            new = apply_patch(old, payload)
        # Something else must never be signed, even though the check of the device would find it.
        return new if sha256(new) == manifest.image_digest else None

    def device(self, public_key: bytes | None) -> Device:
        """Return what is known of the device that the manifest is for."""
        from fotabuild.device.manifest_acceptance import Device

        return Device(
            profile=self.profile,
            public_key=public_key,
            identity=self.identity,
            installed_version=None if self.precursor is None else self.precursor.version,
            installed_image=self.read_precursor(),
        )

    def downloaded(self, payload: bytes) -> bytes | None:
        """Return what the device downloads; an encrypted payload is not at hand."""
        return None if self.payload_format.encrypted else payload
