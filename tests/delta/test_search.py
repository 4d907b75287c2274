"""The search layer: pieces, frames and blocks, and the checks between them."""

from __future__ import annotations

import lz4.block
import pytest

from fotabuild.delta import native_kernel
from fotabuild.delta.bytewise import add
from fotabuild.delta.frames import fill_frames
from fotabuild.delta.python_kernel import PythonKernel
from fotabuild.delta.search import (
    check_plan,
    match_pieces,
    open_kernel,
    pack_frames,
)
from fotabuild.delta.segments import Frame, Piece
from fotabuild.delta.writer import PackedFrame
from fotabuild.errors import DeltaError

from .images import PAIRS, noise


def unpacked(old: bytes, frames: list[PackedFrame]) -> bytes:
    image = bytearray()
    for (begin, end, shift), block in frames:
        assert begin == len(image)
        plain = lz4.block.decompress(block, uncompressed_size=end - begin)
        assert len(plain) == end - begin
        image += plain if shift is None else add(old[begin + shift : end + shift], plain)
    return bytes(image)


@pytest.mark.parametrize("block_size", [64, 512, 4096])
@pytest.mark.parametrize("name", PAIRS)
def test_filled_frames_hold_the_image(name: str, block_size: int) -> None:
    old, new = PAIRS[name]
    pieces = match_pieces(old, new, open_kernel(old, new))
    frames = list(fill_frames(old, new, pieces, block_size))
    check_plan(old, new, (packed.frame for packed in frames))
    assert unpacked(old, frames) == new
    assert all(1 <= len(packed.block) <= block_size for packed in frames)


def test_what_no_piece_holds_is_inserted() -> None:
    old, new = b"0123456789", b"ab234cd"
    frames = [packed.frame for packed in fill_frames(old, new, [Piece(2, 2, 3)], 64)]
    assert frames == [Frame(0, 2, None), Frame(2, 5, 0), Frame(5, 7, None)]
    assert [packed.frame for packed in fill_frames(old, new, [], 64)] == [Frame(0, 7, None)]


def test_planned_frames_become_blocks_in_their_order() -> None:
    old, new = noise(4000), noise(300, 2) + noise(4000)
    planned = [
        Frame(at, min(at + 300, len(new)), None if at < 300 else -300)
        for at in range(0, len(new), 300)
    ]
    for kernel in (open_kernel(old, new), PythonKernel(old, new)):
        assert unpacked(old, list(pack_frames(kernel, planned, 512))) == new


def test_a_block_that_no_buffer_holds_is_refused() -> None:
    new = noise(200)
    with pytest.raises(DeltaError, match="a planned frame needs 202 bytes"):
        list(pack_frames(open_kernel(b"", new), [Frame(0, 200, None)], 128))


@pytest.mark.parametrize(
    ("frames", "problem"),
    [
        ([], "ends at byte 0"),
        ([Frame(0, 4, None)], "ends at byte 4"),
        ([Frame(1, 5, None)], "wrong at byte 1"),
        ([Frame(0, 3, None), Frame(2, 5, None)], "wrong at byte 2"),
        ([Frame(0, 3, None), Frame(4, 5, None)], "wrong at byte 4"),
        ([Frame(0, 0, None), Frame(0, 5, None)], "wrong at byte 0"),
        ([Frame(0, 5, -1)], "wrong at byte 0"),
        ([Frame(0, 5, 4)], "wrong at byte 0"),
        ([Frame(0, 5, None), Frame(5, 6, None)], "ends at byte 6"),
    ],
)
def test_wrong_plans_are_defects(frames: list[Frame], problem: str) -> None:
    old, new = b"12345678", b"abcde"
    check_plan(old, new, [Frame(0, 2, 6), Frame(2, 5, None)])
    with pytest.raises(DeltaError, match=problem) as caught:
        check_plan(old, new, frames)
    assert caught.value.remedy == "report this defect"


def test_python_takes_over_where_the_kernel_cannot(monkeypatch: pytest.MonkeyPatch) -> None:
    assert open_kernel(b"a", b"b").compiled == native_kernel.available()
    monkeypatch.setenv("FOTABUILD_PURE_PYTHON", "1")
    assert not open_kernel(b"a", b"b").compiled
