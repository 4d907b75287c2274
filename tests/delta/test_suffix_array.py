"""The suffix array, against its definition."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.delta.native_kernel import NativeKernel
from fotabuild.delta.suffix_array import suffix_array

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
