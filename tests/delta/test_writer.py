"""The writer: frames become records, and records the patch."""

from __future__ import annotations

import pytest

from fotabuild.delta.decoder import apply_patch_python
from fotabuild.delta.frames import literal_block
from fotabuild.delta.segments import Frame
from fotabuild.delta.writer import PackedFrame, write_patch
from fotabuild.formats.patch_stream import PatchHeader, PatchRecord, encode_patch

A, B, C, D = (literal_block(bytes([letter]) * 9) for letter in b"ABCD")


def packed(*frames: tuple[int, int, int | None, bytes]) -> list[PackedFrame]:
    return [PackedFrame(Frame(begin, end, shift), block) for begin, end, shift, block in frames]


@pytest.mark.parametrize(
    ("frames", "records"),
    [
        # Only inserted bytes: one record, however many frames.
        (packed((0, 9, None, A), (9, 18, None, B)), [PatchRecord(0, (), 18, (A, B), 0)]),
        # A diff from the beginning of the old image, in two frames.
        (packed((0, 9, 0, A), (9, 18, 0, B)), [PatchRecord(18, (A, B), 0, (), 0)]),
        # A diff from elsewhere: an empty record goes there first.
        (
            packed((0, 9, 40, A)),
            [PatchRecord(0, (), 0, (), 40), PatchRecord(9, (A,), 0, (), 0)],
        ),
        # Inserted bytes belong to the record of the diff before them; the seek comes after.
        (
            packed((0, 9, 0, A), (9, 18, None, B), (18, 27, -18, C)),
            [PatchRecord(9, (A,), 9, (B,), -9), PatchRecord(9, (C,), 0, (), 0)],
        ),
        # The same shift goes on behind inserted bytes: the seek jumps over as many old ones.
        (
            packed((0, 9, 0, A), (9, 18, None, B), (18, 27, 0, C)),
            [PatchRecord(9, (A,), 9, (B,), 9), PatchRecord(9, (C,), 0, (), 0)],
        ),
        # Another shift right behind a diff; nothing is inserted between them.
        (
            packed((0, 9, 0, A), (9, 18, -5, B), (18, 27, None, C), (27, 36, None, D)),
            [PatchRecord(9, (A,), 0, (), -5), PatchRecord(9, (B,), 18, (C, D), 0)],
        ),
    ],
)
def test_frames_become_records(frames: list[PackedFrame], records: list[PatchRecord]) -> None:
    size = frames[-1].frame.end
    assert write_patch(size, 64, frames) == encode_patch(size, 64, records)


def test_the_decoder_reads_what_was_written() -> None:
    old = bytes(range(100))
    frames = packed((0, 9, 50, A), (9, 18, None, B), (18, 27, 0, C))
    new = bytes(a + b for a, b in zip(b"A" * 9, old[50:59], strict=True)) + b"B" * 9
    new += bytes(a + b for a, b in zip(b"C" * 9, old[18:27], strict=True))
    assert apply_patch_python(old, write_patch(27, 64, frames)) == new


def test_the_header_has_the_longest_frame() -> None:
    long = literal_block(bytes(60))
    patch = write_patch(78, 64, packed((0, 9, None, A), (9, 69, None, long), (69, 78, None, B)))
    assert PatchHeader.decode(patch[:40]) == PatchHeader(78, 64, len(long))
