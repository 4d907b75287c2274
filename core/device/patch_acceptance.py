"""What a device does with a patch: stream it within its memory and compare the result."""

from __future__ import annotations

from fotabuild.delta import decoder
from fotabuild.device.patch_device import PatchDevice
from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.digest import sha256
from fotabuild.errors import FotabuildError
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader

_STATUS_PATCH = -42
_STATUS_DIGEST = -26
_STATUS_FORMAT = -25


def accept_patch(
    patch: bytes,
    old: bytes,
    installed_digest: bytes,
    installed_size: int,
    device: PatchDevice,
) -> AcceptanceReport:
    """Apply ``patch`` as the device would.

    Args:
        patch: the whole patch; it is fed in pieces of the device's network chunk.
        old: the image installed on the device.
        installed_digest: SHA-256 that the new image must have.
        installed_size: size in bytes that the new image must have.
        device: what the device has for patches.
    """
    report = ReportBuilder(enforced=device.enforced)
    report.limit(
        "patch-support",
        device.supported,
        "needs the feature delta",
        _STATUS_FORMAT,
        "add 'delta' to device.features",
    )
    try:
        header = PatchHeader.decode(patch[:HEADER_SIZE])
        needed = 2 * header.block_size
        report.limit(
            "patch-memory",
            needed <= device.memory,
            f"two blocks need {needed} bytes, the device has {device.memory}",
            _STATUS_PATCH,
            "lower delta.block-size, or raise device.limits.patch-memory if the device has it",
        )
        new = decoder.apply_patch(old, patch, device.network_chunk)
    except FotabuildError as error:
        report.check("patch-stream", False, str(error), _STATUS_PATCH)
        return report.build()
    report.check("patch-stream", True, f"{len(patch)} bytes decode", _STATUS_PATCH)
    digest = sha256(new)
    report.check(
        "installed-digest",
        digest == installed_digest,
        f"{digest.hex()} after patching, announced is {installed_digest.hex()}",
        _STATUS_DIGEST,
    )
    report.check(
        "installed-size",
        len(new) == installed_size,
        f"the patched image has {len(new)} bytes, announced are {installed_size}",
        _STATUS_DIGEST,
    )
    return report.build()
