"""The payload formats of manifest schema v3, apart from its DER: configurations name them."""

from __future__ import annotations

import enum


class PayloadFormat(enum.Enum):
    """The payload formats by their configuration names (manifest-v3, section 2)."""

    RAW_BINARY = "raw-binary"
    ARM_PATCH_STREAM = "arm-patch-stream"
    COMBINED = "combined"
    ENCRYPTED_RAW = "encrypted-raw"
    ENCRYPTED_COMBINED = "encrypted-combined"

    @property
    def number(self) -> int:
        """The 16-bit value: low byte the kind of payload, high byte the encryption scheme."""
        return _NUMBERS[self]

    @property
    def encrypted(self) -> bool:
        """Whether the device downloads an encrypted form of the payload."""
        return self.number > 0xFF


_NUMBERS = {
    PayloadFormat.RAW_BINARY: 0x0001,
    PayloadFormat.ARM_PATCH_STREAM: 0x0005,
    PayloadFormat.COMBINED: 0x0006,
    PayloadFormat.ENCRYPTED_RAW: 0x0101,
    PayloadFormat.ENCRYPTED_COMBINED: 0x0106,
}
