"""What a device needs to apply patches. Apart from the profile, so that it costs little to load."""

from __future__ import annotations

from typing import NamedTuple

#: What people must know when nobody looked at features and limits.
NOT_ENFORCED = "device.profile is none: nobody checked features and limits of devices"


class PatchDevice(NamedTuple):
    """The part of a device's profile that patches depend on.

    Attributes:
        memory: bytes for the decoder's two buffers.
        supported: whether the update client has a patch decoder.
        network_chunk: bytes that arrive at once from the network.
        enforced: whether what is beyond these is refused.
    """

    memory: int
    supported: bool = True
    network_chunk: int = 512
    enforced: bool = True

    @property
    def warnings(self) -> tuple[str, ...]:
        """What people must know who have this device."""
        return () if self.enforced else (NOT_ENFORCED,)
