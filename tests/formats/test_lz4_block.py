"""The walk through an LZ4 block agrees with liblz4, and is stricter about a block's end."""

from __future__ import annotations

import lz4.block
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.errors import PatchError
from fotabuild.formats.lz4_block import check_block

from .strategies import QUICK

# Compressible bytes: few letters, runs, repeated pieces.
plain_texts = st.lists(
    st.binary(min_size=1, max_size=6) | st.integers(1, 400).map(bytes), min_size=1, max_size=30
).map(lambda pieces: b"".join(pieces + pieces))


@QUICK
@given(plain_texts, st.sampled_from(["default", "fast", "high_compression"]))
def test_length_of_what_liblz4_writes(plain: bytes, mode: str) -> None:
    assert check_block(lz4.block.compress(plain, mode=mode, store_size=False)) == len(plain)


@QUICK
@given(plain_texts, st.data())
def test_what_passes_after_damage_is_what_liblz4_decodes(plain: bytes, data: st.DataObject) -> None:
    block = bytearray(lz4.block.compress(plain, store_size=False))
    block[data.draw(st.integers(0, len(block) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    try:
        size = check_block(bytes(block))
    except PatchError:
        return
    if size <= 1 << 16:
        assert len(lz4.block.decompress(bytes(block), uncompressed_size=size)) == size


@pytest.mark.parametrize(
    ("block", "problem"),
    [
        ("", "is cut off"),
        ("20 61", "ends inside its literals"),
        ("f0", "is cut off"),
        ("f0 ff", "is cut off"),
        ("11 61 01", "is cut off"),
        ("10 61 00 00 50 62 62 62 62 62", "0 bytes back"),
        ("10 61 02 00 50 62 62 62 62 62", "2 bytes back, 1 are there"),
        # Match of 4, then 4 literals: the last five bytes have to be literals.
        ("1f 61 01 00 00 40 62 62 62 62", "too close behind a match"),
        # Match of 4, then 5 literals: it begins 9 bytes before the end, 12 are demanded.
        ("10 61 01 00 50 62 62 62 62 62", "too close behind a match"),
        # The same with a match of 6, which begins 11 bytes before the end.
        ("12 61 01 00 50 62 62 62 62 62", "too close behind a match"),
        # The block ends with a match.
        ("1f 61 01 00 00", "is cut off"),
    ],
)
def test_broken_blocks_are_named(block: str, problem: str) -> None:
    with pytest.raises(PatchError, match=problem):
        check_block(bytes.fromhex(block))


@pytest.mark.parametrize(
    ("block", "size"),
    [("00", 0), ("10 61", 1), ("f0 00" + "61" * 15, 15), ("13 61 01 00 50" + "62" * 5, 13)],
)
def test_smallest_good_blocks(block: str, size: int) -> None:
    assert check_block(bytes.fromhex(block)) == size
