"""Good artifacts with a device that accepts them, to be spoilt in one point."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from functools import cache
from typing import Any

import msgspec

from fotabuild.delta.encoder import make_patch
from fotabuild.device.manifest_acceptance import Device, accept_manifest
from fotabuild.device.profile import DeviceFeature, DeviceLimits, DeviceProfile
from fotabuild.device.report import AcceptanceReport
from fotabuild.digest import sha256
from fotabuild.formats.combined_package import PackageImage, encode_package
from fotabuild.formats.encrypted_payload import encode_key, encrypt_payload
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.identity import Identity, parse_uuid
from fotabuild.formats.manifest_v3 import (
    ManifestV3,
    PayloadFormat,
    encode_manifest,
    encode_signed,
)
from fotabuild.signing.pem import PemSigner

from ..formats.golden import KEY, PUBLIC_KEY, firmware

SIGNER = PemSigner.open(KEY)
OLD, NEW = firmware("fw-1.0.0"), firmware("fw-1.1.0")
IDENTITY = Identity(
    parse_uuid("fa6b4a53d5ad5fdfbe9de663e4d41ffe"), parse_uuid("327c726ac6e54f7a82fbf1d3beda80f0")
)
IMAGES = [
    PackageImage("sub1", b"v1.0", firmware("sub1")),
    PackageImage("sub2", b"v2.0", firmware("sub2")),
]


@cache
def patch(block_size: int = 512) -> bytes:
    """A patch from the old image to the new one."""
    return make_patch(OLD, NEW, block_size=block_size).data


@dataclass(frozen=True)
class Scene:
    """A manifest, its signatures, the device and the download."""

    manifest: ManifestV3
    device: Device
    payload: bytes | None
    signature: bytes | None = None
    appended: bytes = b""

    def change(self, **changes: Any) -> Scene:
        """Change fields of the manifest; it is signed afterwards."""
        return dataclasses.replace(self, manifest=dataclasses.replace(self.manifest, **changes))

    def on(self, **changes: Any) -> Scene:
        """Change what is known of the device."""
        return dataclasses.replace(self, device=dataclasses.replace(self.device, **changes))

    def limited(self, **limits: int) -> Scene:
        """Change limits of the device."""
        profile = self.device.profile
        changed = msgspec.structs.replace(profile.limits, **limits)
        return self.on(profile=DeviceProfile(features=profile.features, limits=changed))

    def featuring(self, *features: DeviceFeature) -> Scene:
        """Give the device exactly these features."""
        profile = DeviceProfile(features=frozenset(features), limits=self.device.profile.limits)
        return self.on(profile=profile)

    def delivering(self, payload: bytes | None) -> Scene:
        """Change what is downloaded, and nothing else."""
        return dataclasses.replace(self, payload=payload)

    def signed_image(self) -> Scene:
        """Add a correct image signature."""
        return self.change(installed_signature=SIGNER.sign_digest(self.manifest.image_digest))

    @property
    def data(self) -> bytes:
        signature = self.signature or SIGNER.sign(encode_manifest(self.manifest))
        return encode_signed(self.manifest, signature) + self.appended

    def report(self) -> AcceptanceReport:
        return accept_manifest(self.data, self.device, self.payload)


DEVICE = Device(
    profile=DeviceProfile(
        features=frozenset({DeviceFeature.DELTA, DeviceFeature.COMBINED, DeviceFeature.ENCRYPTED}),
        limits=DeviceLimits(),
    ),
    public_key=PUBLIC_KEY.read_bytes(),
    identity=IDENTITY,
    installed_version=FirmwareVersion(1, 0, 0),
    installed_image=OLD,
)


def raw() -> Scene:
    """The whole image."""
    manifest = ManifestV3(
        identity=IDENTITY,
        update_priority=1,
        component_name="MAIN",
        payload_version="1.1.0",
        payload_digest=sha256(NEW),
        payload_size=len(NEW),
        payload_uri="https://updates.example.com/thermometer/fw-1.1.0.bin",
        payload_format=PayloadFormat.RAW_BINARY,
    )
    return Scene(manifest, DEVICE, NEW)


def delta(content: bytes | None = None) -> Scene:
    """A patch from the installed image; another ``content`` is announced as it is."""
    content = patch() if content is None else content
    return (
        raw()
        .change(
            payload_format=PayloadFormat.ARM_PATCH_STREAM,
            payload_digest=sha256(content),
            payload_size=len(content),
            installed_digest=sha256(NEW),
            installed_size=len(NEW),
            precursor_digest=sha256(OLD),
        )
        .delivering(content)
    )


def combined(images: list[PackageImage] | None = None, content: bytes | None = None) -> Scene:
    """A package; other images or bytes are announced as they are."""
    content = encode_package(images or IMAGES) if content is None else content
    return (
        raw()
        .change(
            payload_format=PayloadFormat.COMBINED,
            payload_digest=sha256(content),
            payload_size=len(content),
            installed_digest=sha256(content),
            installed_size=len(content),
        )
        .delivering(content)
    )


def encrypted() -> Scene:
    """An encrypted image as the service delivers it, with the key behind the manifest."""
    key = bytes(range(16))
    hidden = encrypt_payload(NEW, key)
    scene = raw().change(
        payload_format=PayloadFormat.ENCRYPTED_RAW,
        payload_digest=sha256(hidden),
        payload_size=len(hidden),
        installed_digest=sha256(NEW),
        installed_size=len(NEW),
    )
    return dataclasses.replace(scene, payload=hidden, appended=encode_key(key))
