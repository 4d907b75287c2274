"""From frames to the bytes of a patch (last layer of the encoder)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from fotabuild.delta.segments import Frame
from fotabuild.formats.patch_stream import PatchRecord, encode_patch


class PackedFrame(NamedTuple):
    """A frame and what is written for it.

    Attributes:
        frame: the bytes of the new image.
        block: the compressed bytes.
    """

    frame: Frame
    block: bytes


def write_patch(new_size: int, block_size: int, frames: Iterable[PackedFrame]) -> bytes:
    """Return the patch file.

    Args:
        new_size: bytes of the new image.
        block_size: frame bound in bytes.
        frames: cover the new image in order.
    """
    return encode_patch(new_size, block_size, _records(frames))


def _records(frames: Iterable[PackedFrame]) -> Iterator[PatchRecord]:
    """Group frames: a record is a diff along one shift, then an extra string."""
    diff: list[bytes] = []
    extra: list[bytes] = []
    diff_length = extra_length = position = 0
    for (begin, end, shift), block in frames:
        if shift is None:
            extra.append(block)
            extra_length += end - begin
            continue
        seek = begin + shift - position
        if extra or seek:
            yield PatchRecord(diff_length, tuple(diff), extra_length, tuple(extra), seek)
            diff, extra = [], []
            diff_length = extra_length = 0
        diff.append(block)
        diff_length += end - begin
        position = end + shift
    yield PatchRecord(diff_length, tuple(diff), extra_length, tuple(extra), 0)
