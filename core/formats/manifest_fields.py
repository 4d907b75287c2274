"""What manifests of every schema say of a payload."""

from __future__ import annotations

from dataclasses import dataclass

from fotabuild.formats.identity import Identity
from fotabuild.formats.payload_format import PayloadFormat


@dataclass(frozen=True, kw_only=True)
class ManifestFields:
    """The fields that both schemas have.

    Attributes:
        identity: vendor id and class id of the devices that may install it.
        payload_format: what the file is that the device downloads.
        payload_digest: SHA-256 of that file.
        payload_size: size in bytes of that file.
        payload_uri: where the device downloads it.
        precursor_digest: SHA-256 of the image that a patch starts from; None without a patch.
        installed_size: size in bytes of the image as installed; None where that is the payload.
        installed_digest: SHA-256 of the image as installed; None where that is the payload.
    """

    identity: Identity
    payload_format: PayloadFormat
    payload_digest: bytes
    payload_size: int
    payload_uri: str
    precursor_digest: bytes | None = None
    installed_size: int | None = None
    installed_digest: bytes | None = None

    @property
    def image_digest(self) -> bytes:
        """SHA-256 of the image after the update."""
        return self.payload_digest if self.installed_digest is None else self.installed_digest

    @property
    def image_size(self) -> int:
        """Size in bytes of the image after the update."""
        return self.payload_size if self.installed_size is None else self.installed_size
