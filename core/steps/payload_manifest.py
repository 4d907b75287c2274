"""What the steps that describe and sign one payload have in common, whatever the schema."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Hashable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from fotabuild.device.profile import DeviceProfile
from fotabuild.files.reading import read_file
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.identity import Identity
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.signer import (
    PLAIN_ACCESS,
    KeyAccess,
    Signer,
    can_open_again,
    key_file,
    open_signer,
    require_key,
    tool_file,
)
from fotabuild.steps.step import CheckFile, SigningStep

# What only running needs is imported there: build systems describe steps much more often, and the
# libraries behind some of it are slow to import.
if TYPE_CHECKING:
    from fotabuild.formats.manifest_v1 import ManifestV1
    from fotabuild.formats.manifest_v3 import ManifestV3

    _Manifest = TypeVar("_Manifest", ManifestV1, ManifestV3)

#: Stands in a URL for the digest of the payload. No URL can hold it otherwise.
DIGEST_PLACEHOLDER = "<payload-digest>"


@dataclass(frozen=True)
class Precursor:
    """The release that a patch starts from: its version, if known, and its image."""

    image: Path
    version: FirmwareVersion | None = None


@dataclass(frozen=True, kw_only=True)
class PayloadManifestStep(SigningStep):
    """Describe and sign one payload.

    Attributes:
        identity: vendor and class id.
        url: where devices download the payload; the placeholder stands for its SHA-256.
        payload_format: what the payload is.
        payload: the payload file; for encrypted formats the plain one.
        key: name of the private key.
        profile: abilities and limits of the device.
        output: the manifest.
        certificate: the update certificate that the key must match.
        access: how the key is reached.
        vendor_data: custom data to carry.
        sidecar: the YAML beside a patch.
        precursor: where a patch starts from; with it the patch is applied as a check.
    """

    identity: Identity
    url: str
    payload_format: PayloadFormat
    payload: Path
    key: str
    profile: DeviceProfile
    output: Path
    certificate: Path | None
    access: KeyAccess = PLAIN_ACCESS
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
        return {
            "vendor-id": str(self.identity.vendor_id),
            "class-id": str(self.identity.class_id),
            "url": self.url,
            "payload-format": self.payload_format.value,
            "precursor-version": str(self.precursor.version) if self.precursor else None,
            # A key in a file is an input; any other is known by its name only.
            "key": self.key if key_file(self.key, self.access) is None else None,
            "signing-tool": self.access.tool and Path(self.access.tool).name,
            "features": sorted(feature.value for feature in self.profile.features),
        }

    def check_inputs(self, check: CheckFile) -> None:
        """Look at payload, side file, vendor data and old image; read the certificate."""
        check(self.payload, READ_LIMITS.package, "payload")
        if self.vendor_data is not None:
            check(self.vendor_data, READ_LIMITS.vendor_data, "vendor data")
        if self.sidecar is not None:
            check(self.sidecar, READ_LIMITS.config, "side file of the patch")
        self.certificate_key()
        require_key(self.key, self.access)
        if self.precursor is not None:
            check(self.precursor.image, READ_LIMITS.image, "precursor image")

    @property
    def signs_with(self) -> Hashable:
        """Key, access and certificate."""
        if not (self.key and can_open_again(self.key, self.access)):
            return None
        return (self.key, self.access, self.certificate)

    @abstractmethod
    def certificate_key(self) -> bytes | None:
        """Return the public key of the certificate, if there is one."""

    def open_key(self) -> tuple[Signer, bytes]:
        """Return what signs, and its public key, which is that of the certificate if there is one.

        Raises:
            SigningError: the key cannot be used, or is not that of the certificate.
            FileError: a file cannot be read.
        """
        from fotabuild.signing.certificate import require_pair

        certificate_key = self.certificate_key()
        signer = open_signer(self.key, self.access, certificate_key)
        public_key = signer.public_key()
        if certificate_key is not None:
            require_pair(certificate_key, public_key, self.certificate)
        return signer, public_key

    def check_key(self) -> None:
        """Open what signs and compare it with the certificate."""
        self.open_key()

    def read_payload(self) -> bytes:
        """Return the payload as it is now."""
        return read_file(self.payload, READ_LIMITS.package, "payload")

    def read_vendor_data(self) -> bytes | None:
        """Return the custom data, if there is any."""
        if self.vendor_data is None:
            return None
        return read_file(self.vendor_data, READ_LIMITS.vendor_data, "vendor data")

    def read_precursor(self) -> bytes | None:
        """Return the image that a patch starts from, if it is known."""
        if self.precursor is None:
            return None
        return read_file(self.precursor.image, READ_LIMITS.image, "precursor image")

    def with_patch(self, manifest: _Manifest, patch: bytes) -> _Manifest:
        """Return the manifest with what the side file says of a patch.

        Raises:
            SidecarError, PatchError: the side file or the patch is malformed.
        """
        from fotabuild.steps.manifest_inputs import read_sidecar

        sidecar = read_sidecar(self.payload, patch, self.sidecar)
        return replace(
            manifest,
            installed_size=sidecar.installed_size,
            installed_digest=sidecar.installed_digest,
            precursor_digest=sidecar.precursor_digest,
        )
