"""What one kind of device can do and hold. The defaults are those of the update client."""

from __future__ import annotations

import enum
from typing import Annotated

import msgspec
from msgspec import Meta

from fotabuild.device.patch_device import NOT_ENFORCED, PatchDevice

_INT31_MAX = 2**31 - 1
# Manifest fields other than the URI, the URI with its terminator (manifest-v3, section 6).
_MANIFEST_BASE_SIZE = 247 + 256

Size = Annotated[int, Meta(ge=0, le=_INT31_MAX)]


class UpdateClient(str, enum.Enum):
    """Update clients; they accept different v1 manifests (manifest-v1, section 5)."""

    FOTA = "fota"
    HUB = "update-client-hub"


class ProfileName(str, enum.Enum):
    """What of the device's features and limits is enforced."""

    DEFAULT = "default"
    NONE = "none"


class DeviceFeature(str, enum.Enum):
    """Abilities that are chosen when the device's update client is built."""

    DELTA = "delta"
    COMBINED = "combined"
    ENCRYPTED = "encrypted"
    SIGNED_IMAGE = "signed-image"


class DeviceLimits(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="kebab"
):
    """Bounds of the device's update client; sizes in bytes."""

    component_name_size: Annotated[Size, Meta(description="Longest component name.")] = 8
    version_size: Annotated[Size, Meta(description="Longest version text.")] = 11
    uri_size: Annotated[Size, Meta(description="Longest payload URI, in UTF-8.")] = 255
    priority: Annotated[int, Meta(ge=0, le=2**63 - 1, description="Largest update priority.")] = (
        _INT31_MAX
    )
    image_size: Annotated[Size, Meta(description="Largest payload and installed image.")] = (
        _INT31_MAX
    )
    vendor_data_size: Annotated[
        Size, Meta(description="Largest vendor data (FOTA_MANIFEST_VENDOR_DATA_SIZE).")
    ] = 0
    certificate_size: Annotated[
        Size, Meta(description="Largest update certificate (FOTA_CERT_MAX_SIZE).")
    ] = 600
    patch_memory: Annotated[
        Size, Meta(description="Memory for the patch decoder's two buffers: two block sizes.")
    ] = 1024
    network_chunk: Annotated[
        int, Meta(ge=1, le=1 << 20, description="Bytes that arrive at once from the network.")
    ] = 512
    sub_components: Annotated[
        int,
        Meta(ge=2, le=255, description="Images in a package (FOTA_MAX_NUM_OF_SUB_COMPONENTS)."),
    ] = 2
    sub_component_name_size: Annotated[Size, Meta(description="Longest sub-component name.")] = 8
    sub_component_vendor_data_size: Annotated[
        Size, Meta(description="Largest vendor data of a sub-component.")
    ] = 32

    @property
    def manifest_size(self) -> int:
        """Largest manifest that the device can store, so that an update survives a reboot."""
        extra = 4 + self.vendor_data_size if self.vendor_data_size else 0
        return _MANIFEST_BASE_SIZE + extra


#: Manifests of schema v1: what the FOTA client stores, with and without delta, and what the fixed
#: buffer of the older client holds (manifest-v1, section 5).
V1_STORED_SIZE = 361 + 256
V1_STORED_SIZE_WITHOUT_DELTA = 286 + 256
V1_BUFFER_SIZE = 640


class DeviceProfile(msgspec.Struct, frozen=True, kw_only=True):
    """Features and limits of one kind of device; its update client, where it is known.

    Attributes:
        features: its abilities.
        limits: its bounds.
        client: its update client.
        enforced: whether what is beyond all these is refused. Signatures, digests, ids and versions
            are checked in any case.
    """

    features: frozenset[DeviceFeature] = frozenset({DeviceFeature.DELTA})
    limits: DeviceLimits = DeviceLimits()
    client: UpdateClient | None = None
    enforced: bool = True

    @property
    def warnings(self) -> tuple[str, ...]:
        """What people must know who have this profile."""
        return () if self.enforced else (NOT_ENFORCED,)

    @property
    def patch_device(self) -> PatchDevice:
        """The part that patches depend on."""
        return PatchDevice(
            supported=DeviceFeature.DELTA in self.features,
            memory=self.limits.patch_memory,
            network_chunk=self.limits.network_chunk,
            enforced=self.enforced,
        )
