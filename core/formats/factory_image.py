"""The image that a factory writes: bootloader, header and application at their places in flash."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fotabuild.errors import FactoryImageError
from fotabuild.limits import READ_LIMITS


@dataclass(frozen=True)
class FlashPart:
    """Bytes at a place in flash.

    Attributes:
        name: what they are, for messages.
        offset: distance in bytes from the start of flash.
        content: the bytes.
    """

    name: str
    offset: int
    content: bytes


def combine(parts: Sequence[FlashPart], fill: int = 0xFF) -> bytes:
    """Lay out ``parts``, which must be in order of their offsets.

    Args:
        parts: the parts; the first one usually begins at 0.
        fill: byte for the holes between them, 0xFF for erased flash.

    Raises:
        FactoryImageError: a part reaches into the next one, or the whole is too large.
    """
    image = bytearray()
    previous = ""
    for part in parts:
        gap = part.offset - len(image)
        if gap < 0:
            raise FactoryImageError(
                f"the {previous} ends at {len(image):#x}, the {part.name} begins at "
                f"{part.offset:#x}",
                remedy="move the later part up, or make the earlier one smaller",
            )
        if part.offset + len(part.content) > READ_LIMITS.image:
            raise FactoryImageError(f"the {part.name} ends beyond {READ_LIMITS.image} bytes")
        image += bytes([fill]) * gap
        image += part.content
        previous = part.name
    return bytes(image)
