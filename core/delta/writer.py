"""From frames to the bytes of a patch (last layer of the encoder)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from fotabuild.delta.patch import FrameUse, RecordUse
from fotabuild.delta.segments import Frame
from fotabuild.formats.patch_stream import (
    PatchRecord,
    encode_patch,
    encode_signed_varint,
    encode_varint,
)


class PackedFrame(NamedTuple):
    """A frame and what is written for it.

    Attributes:
        frame: the bytes of the new image.
        block: the compressed bytes.
    """

    frame: Frame
    block: bytes


@dataclass
class _Draft:
    """A record whose seek is not known yet."""

    position: int
    diff: list[PackedFrame] = field(default_factory=list)
    extra: list[PackedFrame] = field(default_factory=list)
    seek: int = 0

    @property
    def diff_length(self) -> int:
        return sum(packed.frame.end - packed.frame.begin for packed in self.diff)

    @property
    def extra_length(self) -> int:
        return sum(packed.frame.end - packed.frame.begin for packed in self.extra)


def write_patch(
    new_size: int, block_size: int, frames: Iterable[PackedFrame]
) -> tuple[bytes, tuple[RecordUse, ...]]:
    """Return the patch file, and what its bytes are for.

    Args:
        new_size: bytes of the new image.
        block_size: frame bound in bytes.
        frames: cover the new image in order.
    """
    drafts = list(_records(frames))
    patch = encode_patch(
        new_size,
        block_size,
        (
            PatchRecord(
                draft.diff_length,
                tuple(packed.block for packed in draft.diff),
                draft.extra_length,
                tuple(packed.block for packed in draft.extra),
                draft.seek,
            )
            for draft in drafts
        ),
    )
    return patch, tuple(_uses(drafts))


def _records(frames: Iterable[PackedFrame]) -> Iterator[_Draft]:
    """Group frames: a record is a diff along one shift, then an extra string."""
    draft = _Draft(0)
    for packed in frames:
        begin, end, shift = packed.frame
        if shift is None:
            draft.extra.append(packed)
            continue
        if draft.extra or draft.position != begin + shift:
            draft.seek = begin + shift - draft.position
            yield draft
            draft = _Draft(begin + shift)
        draft.diff.append(packed)
        draft.position = end + shift
    yield draft


def _uses(drafts: Iterable[_Draft]) -> Iterator[RecordUse]:
    start = 0
    for draft in drafts:
        diff_length, extra_length = draft.diff_length, draft.extra_length
        control = (
            encode_varint(diff_length),
            encode_varint(extra_length),
            encode_signed_varint(draft.seek),
        )
        yield RecordUse(
            start,
            diff_length,
            extra_length,
            sum(map(len, control)),
            tuple(_use(packed) for packed in (*draft.diff, *draft.extra)),
        )
        start += diff_length + extra_length


def _use(packed: PackedFrame) -> FrameUse:
    begin, end, shift = packed.frame
    return FrameUse(
        begin,
        end - begin,
        None if shift is None else begin + shift,
        len(encode_varint(len(packed.block))) + len(packed.block),
    )
