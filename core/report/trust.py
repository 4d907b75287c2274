"""Devices that a folder is for, and the key that they trust."""

from __future__ import annotations

from fotabuild.device.manifest_acceptance import Device
from fotabuild.device.profile import DeviceProfile
from fotabuild.formats.identity import Identity
from fotabuild.signing.certificate import public_key_of
from fotabuild.signing.cose_algorithm import KeyKind
from fotabuild.signing.cose_verify import VerificationKey, from_point, load_verification_key


def device_with(certificate: bytes, profile: DeviceProfile, identity: Identity | None) -> Device:
    """Return the devices that have a certificate.

    Where its key is not on P-256, as SUIT allows, they have no key for manifests of other schemas.

    Args:
        certificate: DER.
        profile: their abilities and limits.
        identity: vendor and class id, None for any.

    Raises:
        CoseKeyError: the certificate holds a key that no format of ours uses.
    """
    on_p256 = load_verification_key(certificate).kind is KeyKind.P256
    return Device(
        profile=profile,
        public_key=public_key_of(certificate) if on_p256 else None,
        identity=identity,
        certificate=certificate,
    )


def trusted_key(device: Device) -> VerificationKey:
    """Return the key of a device's certificate, or its bare public key.

    Raises:
        CoseKeyError: the certificate holds a key that no format of ours uses.
    """
    if device.certificate is not None:
        return load_verification_key(device.certificate)
    assert device.public_key is not None, "a device trusts a key"
    return from_point(device.public_key)
