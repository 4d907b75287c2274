"""From a downloaded payload to the image to be installed, with bounded memory.

Payload, image and installed image are read and written in pieces; only a combined package is held
as a whole, to be compared with its descriptor.
"""

from __future__ import annotations

import errno
import hashlib
import mmap
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from fotabuild.delta.decoder import PatchDecoder
from fotabuild.device.package_acceptance import accept_package
from fotabuild.device.profile import DeviceProfile
from fotabuild.errors import EncryptionError, FormatError
from fotabuild.formats.encrypted_payload import BLOCK_SIZE, decrypt_blocks
from fotabuild.formats.manifest_v3 import PayloadFormat
from fotabuild.simulation.announcement import Announcement
from fotabuild.simulation.events import FailedUpdateError, Failure, require_accepted
from fotabuild.simulation.folder import pieces_of

_PACKAGES = {PayloadFormat.COMBINED, PayloadFormat.ENCRYPTED_COMBINED}


def make_candidate(
    wanted: Announcement, payload: Path, installed: Path, profile: DeviceProfile, output: Path
) -> None:
    """Write the image that ``wanted`` announces, flushed and verified.

    Args:
        wanted: the accepted announcement.
        payload: the downloaded payload, whose digest was compared.
        installed: the image that runs now.
        profile: abilities and limits of the device.
        output: where the image goes; what is there is overwritten.

    Raises:
        FailedUpdateError: the payload does not lead to the announced image.
    """
    pieces: Iterable[bytes]
    if wanted.encryption_key is not None:
        pieces = _decrypted(pieces_of(payload, BLOCK_SIZE), wanted.encryption_key)
    elif wanted.payload_format is PayloadFormat.ARM_PATCH_STREAM:
        pieces = _patched(pieces_of(payload, profile.limits.network_chunk), installed, profile)
    else:
        pieces = pieces_of(payload)
    digest = _write(pieces, output, wanted.image_size)
    if digest != wanted.image_digest:
        raise FailedUpdateError(
            Failure.IMAGE_DIGEST,
            f"installed-digest: {digest.hex()}, announced is {wanted.image_digest.hex()}",
        )
    if wanted.payload_format in _PACKAGES:
        require_accepted(accept_package(output.read_bytes(), profile))


def _decrypted(blocks: Iterable[bytes], key: bytes) -> Iterator[bytes]:
    try:
        yield from decrypt_blocks(blocks, key)
    except EncryptionError as error:
        raise FailedUpdateError(Failure.INTEGRITY, f"decryption: {error}") from None


def _patched(pieces: Iterable[bytes], installed: Path, profile: DeviceProfile) -> Iterator[bytes]:
    """Yield the new image; old bytes are read where the patch asks for them."""
    with (
        open(installed, "rb") as stream,
        mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as old,
    ):
        # The decoder slices what it gets and asks for its length, and a file can do both.
        decoder = PatchDecoder(old)  # type: ignore[arg-type]
        checked = False
        try:
            for piece in pieces:
                image = decoder.feed(piece)
                if decoder.header is not None and not checked:
                    _check_memory(2 * decoder.header.block_size, profile.limits.patch_memory)
                    checked = True
                yield image
            decoder.finish()
        except FormatError as error:
            raise FailedUpdateError(Failure.PARSE, f"patch-stream: {error}") from None


def _check_memory(needed: int, available: int) -> None:
    if needed > available:
        raise FailedUpdateError(
            Failure.MEMORY,
            f"patch-memory: two blocks need {needed} bytes, the device has {available}",
        )


def _write(pieces: Iterable[bytes], output: Path, size: int) -> bytes:
    """Write exactly ``size`` bytes, flush them to the disk, return their SHA-256."""
    digest = hashlib.sha256()
    written = 0
    try:
        with open(output, "wb") as stream:
            for piece in pieces:
                written += len(piece)
                if written > size:
                    break
                digest.update(piece)
                stream.write(piece)
            stream.flush()
            os.fsync(stream.fileno())
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT)
        raise FailedUpdateError(
            Failure.STORAGE if full else Failure.WRITE,
            f"cannot write the image: {error.strerror or error}",
        ) from None
    if written != size:
        more = "more than " if written > size else ""
        raise FailedUpdateError(
            Failure.IMAGE_DIGEST,
            f"installed-size: {more}{min(written, size)} bytes, announced are {size}",
        )
    return digest.digest()
