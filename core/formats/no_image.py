"""What people give by mistake in place of an image, and what no firmware looks like."""

from __future__ import annotations

from fotabuild.errors import FormatError, PatchError
from fotabuild.formats.manifest_schema import schema_of
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader
from fotabuild.limits import READ_LIMITS

# As in fotabuild.formats.elf_image, which takes longer to load than a quick patch can wait.
_ELF_MAGIC = b"\x7fELF"
# CBOR tag 107 in front of a SUIT envelope.
_ENVELOPE_TAG = b"\xd8\x6b"


def other_kind(data: bytes) -> str | None:
    """Return what is no image: "an ELF file", "a patch" or "a manifest"; None if it may be one.

    A patch is the worst mistake: it begins with the mark of a decoder, so that deltas from it seem
    possible.
    """
    if is_elf(data):
        return "an ELF file"
    if is_patch(data):
        return "a patch"
    return "a manifest" if _is_manifest(data) else None


def is_elf(data: bytes) -> bool:
    """Return whether data begins like a linked file."""
    return data.startswith(_ELF_MAGIC)


def is_patch(data: bytes) -> bool:
    """Return whether data begins with the head of a patch; the mark alone may be a decoder's."""
    try:
        PatchHeader.decode(data[:HEADER_SIZE])
    except PatchError:
        return False
    return True


def _is_manifest(data: bytes) -> bool:
    """Read it: the first word of an image, a stack pointer, may be how a manifest begins."""
    try:
        if data.startswith(_ENVELOPE_TAG):
            from fotabuild.formats.suit.decoder import detect_profile, open_envelope

            detect_profile(open_envelope(data))
            return True
        schema = schema_of(data) if len(data) <= READ_LIMITS.manifest else None
        if schema is not None:
            from fotabuild.formats import manifest_v1, manifest_v3

            (manifest_v3 if schema == 3 else manifest_v1).decode_signed(data)
        return schema is not None
    except FormatError:
        return False
