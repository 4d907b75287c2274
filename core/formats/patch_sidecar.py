"""The YAML side file of a patch, which manifest tools read (delta-patch, section 7)."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass

from fotabuild.errors import SidecarError

_DIGEST_SIZE = 32
_REQUIRED = ("installed-digest", "installed-size", "precursor-digest")
_OPTIONAL = ("patch-digest", "patch-size")


@dataclass(frozen=True)
class PatchSidecar:
    """What a manifest has to say about a patch.

    Attributes:
        installed_digest: SHA-256 of the new image.
        installed_size: size in bytes of the new image.
        precursor_digest: SHA-256 of the old image.
        patch_digest: SHA-256 of the patch that this file describes; None in files of older tools.
        patch_size: size in bytes of that patch; None in files of older tools.
    """

    installed_digest: bytes
    installed_size: int
    precursor_digest: bytes
    patch_digest: bytes | None = None
    patch_size: int | None = None

    def encode(self) -> bytes:
        """Return the YAML text; the digests are doubly base64, as every reader accepts them."""
        lines = [
            *_binary("installed-digest", self.installed_digest),
            f"installed-size: {self.installed_size}",
            *_binary("precursor-digest", self.precursor_digest),
        ]
        if self.patch_digest is not None and self.patch_size is not None:
            # Extra keys are ignored by older tools; they tie this file to one patch.
            lines += [*_binary("patch-digest", self.patch_digest), f"patch-size: {self.patch_size}"]
        return ("\n".join(lines) + "\n").encode()

    @classmethod
    def from_values(cls, values: Mapping[str, object]) -> PatchSidecar:
        """Read the parsed YAML mapping.

        Raises:
            SidecarError: a key is missing, unknown, or has no usable value.
        """
        for key in values:
            if key not in _REQUIRED + _OPTIONAL:
                raise SidecarError("unknown key in the side file of a patch", field=key)
        for key in _REQUIRED:
            if key not in values:
                raise SidecarError("the side file of the patch lacks this key", field=key)
        has_patch = "patch-digest" in values
        if has_patch != ("patch-size" in values):
            raise SidecarError("patch-digest and patch-size go together", field="patch-digest")
        return cls(
            _digest("installed-digest", values["installed-digest"]),
            _size("installed-size", values["installed-size"]),
            _digest("precursor-digest", values["precursor-digest"]),
            _digest("patch-digest", values["patch-digest"]) if has_patch else None,
            _size("patch-size", values["patch-size"]) if has_patch else None,
        )


def _binary(key: str, digest: bytes) -> list[str]:
    return [f"{key}: !!binary |", "  " + base64.b64encode(base64.b64encode(digest)).decode()]


def _digest(key: str, value: object) -> bytes:
    text = value.encode("ascii", "replace") if isinstance(value, str) else value
    try:
        digest = base64.b64decode(text, validate=True) if isinstance(text, bytes) else b""
    except (binascii.Error, ValueError):
        digest = b""
    if len(digest) != _DIGEST_SIZE:
        raise SidecarError("not the base64 of a 32-byte digest", field=key)
    return digest


def _size(key: str, value: object) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise SidecarError("not a size in bytes", field=key)
    return value
