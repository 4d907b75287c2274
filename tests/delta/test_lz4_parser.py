"""The LZ4 coder: its blocks decode, its prices are true, and it is as good as liblz4's best."""

from __future__ import annotations

import lz4.block
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.delta.bytewise import add, subtract
from fotabuild.delta.lz4_parser import START, Matcher, block, block_end, next_state
from fotabuild.delta.native_kernel import NativeKernel
from fotabuild.delta.segments import Frame
from fotabuild.formats.lz4_block import check_block

from ..formats.golden import firmware
from ..formats.strategies import QUICK
from .images import noise

pieces = st.lists(st.binary(max_size=20) | st.integers(1, 400).map(bytes) | st.just(b"abcde" * 9))
strings = pieces.map(b"".join).filter(bool)


@QUICK
@given(strings)
def test_any_string_comes_back(data: bytes) -> None:
    coded = block(data, 16)
    assert check_block(coded) == len(data)
    assert lz4.block.decompress(coded, uncompressed_size=len(data)) == data


@pytest.mark.cc
@QUICK
@given(strings, st.sampled_from([1, 8, 64]))
def test_c_writes_the_same_block(data: bytes, depth: int) -> None:
    assert NativeKernel(b"x", data).blocks([Frame(0, len(data), None)], depth) == [
        block(data, depth)
    ]


@QUICK
@given(strings)
def test_price_of_every_beginning_is_the_size_of_its_block(data: bytes) -> None:
    matcher = Matcher(data, len(data), 64)
    matcher.run(0, len(data))
    states = [START]
    for end in range(1, len(data) + 1):
        states.append(next_state(states, matcher.found(end)))
        if end % 61 == 0 or end < 15:
            assert len(block(data[:end], 64)) <= block_end(states, end)[0]
    assert len(block(data, 64)) == block_end(states, len(data))[0]


@pytest.mark.parametrize("size", [1, 12, 13, 14, 15, 16, 270, 271, 4000])
def test_noise_is_literals(size: int) -> None:
    data = noise(size)
    assert block(data, 8)[-size:] == data


def test_as_small_as_the_best_level_of_liblz4() -> None:
    code = firmware("fw-1.0.0")
    changed = firmware("fw-1.0.1")[: len(code)]
    strings = [code[at : at + 512] for at in range(0, 20_000, 512)]
    strings += [
        subtract(changed[at : at + 512], code[at : at + 512]) for at in range(0, 20_000, 512)
    ]
    ours = sum(len(block(string, 64)) for string in strings)
    theirs = sum(
        len(lz4.block.compress(s, mode="high_compression", compression=12, store_size=False))
        for s in strings
    )
    assert ours <= theirs * 1.0005


@QUICK
@given(st.binary(max_size=70), st.data())
def test_sums_and_differences(one: bytes, data: st.DataObject) -> None:
    two = data.draw(st.binary(min_size=len(one), max_size=len(one)))
    difference = subtract(one, two)
    assert difference == bytes((a - b) % 256 for a, b in zip(one, two, strict=True))
    assert add(two, difference) == one
