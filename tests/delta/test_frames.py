"""Framing: what a device's two buffers hold (delta-patch, section 2)."""

from __future__ import annotations

import lz4.block
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.delta.frames import largest_literal_frame, literal_block, pack
from fotabuild.formats.lz4_block import check_block

from ..formats.strategies import QUICK
from .images import BLOCK_SIZES, noise


def unpack(frames: list[tuple[int, bytes]], block_size: int) -> bytes:
    plain = b""
    for length, frame in frames:
        assert 1 <= len(frame) <= block_size
        assert 1 <= check_block(frame) == length <= block_size
        plain += lz4.block.decompress(frame, uncompressed_size=block_size)
    return plain


def test_nothing_needs_no_frame() -> None:
    assert list(pack(b"", 512)) == []


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
def test_noise_and_zeros_of_every_length_around_a_block(block_size: int) -> None:
    literal = largest_literal_frame(block_size)
    for size in sorted({1, 2, 12, 13, literal, literal + 1, block_size, block_size + 1}):
        for data in (noise(size), bytes(size), noise(size // 2) + bytes(size - size // 2)):
            assert unpack(list(pack(data, block_size)), block_size) == data


@QUICK
@given(st.lists(st.binary(max_size=30) | st.integers(1, 200).map(bytes)), st.integers(64, 600))
def test_any_string(pieces: list[bytes], block_size: int) -> None:
    data = b"".join(pieces)
    frames = list(pack(data, block_size))
    assert unpack(frames, block_size) == data
    # No frame could take everything of the next one: bytes are not split without need.
    assert len(frames) <= 1 + len(data) // largest_literal_frame(block_size)


def test_largest_literal_frame_is_the_largest() -> None:
    for block_size in (*range(64, 1100), 4096, 65536):
        largest = largest_literal_frame(block_size)
        assert len(literal_block(noise(largest))) <= block_size
        assert len(literal_block(noise(largest + 1))) > block_size


@pytest.mark.parametrize("size", [1, 14, 15, 16, 269, 270, 271, 524, 525, 526, 70000])
def test_literal_block_decodes(size: int) -> None:
    data = noise(size)
    block = literal_block(data)
    assert lz4.block.decompress(block, uncompressed_size=size) == data
    assert check_block(block) == size


@QUICK
@given(st.binary(max_size=40) | st.integers(0, 40).map(bytes))
def test_short_strings_are_what_liblz4_makes_of_them(data: bytes) -> None:
    expected = [
        (
            len(data),
            lz4.block.compress(data, mode="high_compression", compression=12, store_size=False),
        )
    ]
    assert list(pack(data, 64)) == (expected if data else [])
