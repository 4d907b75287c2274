"""The suffix array, against its definition."""

from __future__ import annotations

from array import array
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.delta import native_kernel
from fotabuild.delta.native_kernel import NativeKernel
from fotabuild.delta.suffix_array import is_suffix_array, suffix_array

from ..formats.golden import firmware
from ..formats.strategies import QUICK

texts = st.binary(min_size=1, max_size=200) | st.text("ab", min_size=1, max_size=200).map(
    str.encode
)


def by_definition(text: bytes) -> list[int]:
    return sorted(range(len(text)), key=lambda start: text[start:])


@QUICK
@given(texts)
def test_small_texts(text: bytes) -> None:
    assert suffix_array(text) == by_definition(text)


@pytest.mark.cc
@QUICK
@given(texts)
def test_small_texts_in_c(text: bytes) -> None:
    assert list(NativeKernel(text, text).suffixes) == by_definition(text)


def test_repetitive_text() -> None:
    assert suffix_array(b"ab" * 5000) == [*range(9998, -1, -2), *range(9999, 0, -2)]


@pytest.mark.cc
def test_c_gives_the_same_array() -> None:
    for text in (firmware("fw-1.2.0"), bytes(70_000), b"ab" * 9000, firmware("fw-0.9.0") * 2):
        assert list(NativeKernel(text, text).suffixes) == suffix_array(text)


@pytest.mark.cc
@pytest.mark.parametrize(
    "text", [b"", b"a", b"ab", b"aa", b"aba", b"aab", b"abab", b"aaaa", b"bcab"]
)
def test_no_other_numbers_are_taken_for_it(text: bytes) -> None:
    """All that there are, also some that point outside."""
    right = 0
    for numbers in product(range(-1, len(text) + 1), repeat=len(text)):
        expected = list(numbers) == by_definition(text)
        assert is_suffix_array(text, numbers) == expected
        assert native_kernel.is_suffix_array(text, array("i", numbers)) == expected
        right += expected
    assert right == 1
    longer = array("i", range(len(text) + 1))
    assert not is_suffix_array(text, longer)
    assert not native_kernel.is_suffix_array(text, longer)
