"""What a device does with an encrypted payload: decrypt block by block, compare the plain image."""

from __future__ import annotations

from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.digest import sha256
from fotabuild.errors import EncryptionError
from fotabuild.formats.encrypted_payload import decrypt_payload

_STATUS_DIGEST = -26


def accept_encrypted(
    data: bytes, key: bytes, installed_digest: bytes, installed_size: int
) -> tuple[AcceptanceReport, bytes | None]:
    """Decrypt as the device would; return the report, and the plain payload if there is one.

    Args:
        data: what the device downloads.
        key: the AES-128 key that was delivered behind the manifest.
        installed_digest: SHA-256 that the plain payload must have.
        installed_size: size in bytes that it must have.
    """
    report = ReportBuilder()
    try:
        plain = decrypt_payload(data, key)
    except EncryptionError as error:
        report.check("payload-decryption", False, str(error), _STATUS_DIGEST)
        return report.build(), None
    report.check("payload-decryption", True, f"{len(plain)} bytes, every block verified")
    digest = sha256(plain)
    report.check(
        "installed-digest",
        digest == installed_digest,
        f"{digest.hex()} after decryption, announced is {installed_digest.hex()}",
        _STATUS_DIGEST,
    )
    report.check(
        "installed-size",
        len(plain) == installed_size,
        f"the decrypted image has {len(plain)} bytes, announced are {installed_size}",
        _STATUS_DIGEST,
    )
    return report.build(), plain
