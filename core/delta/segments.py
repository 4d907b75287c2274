"""What the layers of the encoder hand to each other."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from fotabuild.errors import DeltaError

LARGEST_FRAME = 2**16 - 1
"""Plain bytes of the longest planned frame: the kernel counts lengths in 16 bits."""


class Piece(NamedTuple):
    """Bytes of the new image that are near those of the old one.

    Attributes:
        new_at: first byte in the new image.
        old_at: first byte in the old image.
        size: bytes.
    """

    new_at: int
    old_at: int
    size: int


class Segment(NamedTuple):
    """A stretch of the new image that may be made from the old one.

    Attributes:
        begin: first byte in the new image.
        end: byte behind the last one.
        shift: place in the old image less place in the new one.
    """

    begin: int
    end: int
    shift: int


def no_way() -> DeltaError:
    """Return the error for nodes that no frames can lead along: a defect of the search."""
    return DeltaError("no frames lead to the end of the image", remedy="report this defect")


def merge_segments(segments: Iterable[Segment]) -> list[Segment]:
    """Make one of segments that share a shift and overlap; return all by beginning and shift."""
    merged: list[Segment] = []
    for segment in sorted(segments, key=lambda segment: (segment.shift, segment.begin)):
        last = merged[-1] if merged else None
        if last and last.shift == segment.shift and segment.begin <= last.end:
            merged[-1] = last._replace(end=max(last.end, segment.end))
        else:
            merged.append(segment)
    return sorted(merged, key=lambda segment: (segment.begin, segment.shift))


class Frame(NamedTuple):
    """A frame of the patch before it is compressed.

    Attributes:
        begin: first byte in the new image.
        end: byte behind the last one.
        shift: place in the old image less place in the new one; None for inserted bytes.
    """

    begin: int
    end: int
    shift: int | None
