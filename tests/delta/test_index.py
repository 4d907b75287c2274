"""The index of an old image: the same patches, refused when it is not what it should be."""

from __future__ import annotations

import hashlib
import random
from array import array
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.delta import native_kernel
from fotabuild.delta.decoder import apply_patch
from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.index import OldIndex, build_index
from fotabuild.errors import DeltaError

from ..formats.golden import firmware
from ..formats.strategies import QUICK
from .images import PAIRS

OLD, NEW = firmware("fw-1.0.0")[:6000], firmware("fw-1.1.0")[:6000]
STORED = build_index(OLD).to_bytes()
HEADER = 80


@pytest.mark.parametrize("name", PAIRS)
@pytest.mark.parametrize("effort", [Effort.FAST, Effort.BALANCED])
def test_patch_is_the_same_with_it(name: str, effort: Effort) -> None:
    old, new = PAIRS[name]
    index = OldIndex.from_bytes(build_index(old).to_bytes(), old)
    assert make_patch(old, new, effort=effort, index=index) == make_patch(old, new, effort=effort)


@pytest.mark.cc
def test_it_is_used(monkeypatch: pytest.MonkeyPatch, kernel: bool) -> None:
    assert kernel
    index = build_index(OLD)
    library = native_kernel._library()

    class Library:
        def __getattr__(self, name: str) -> object:
            assert name != "fota_suffix_array"
            return getattr(library, name)

    monkeypatch.setattr(native_kernel, "_library", Library)
    assert make_patch(OLD, NEW, index=index).stats.kernel
    with pytest.raises(AssertionError):
        make_patch(OLD, NEW)


def test_python_makes_the_same_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOTABUILD_PURE_PYTHON", "1")
    assert build_index(OLD).to_bytes() == STORED
    assert OldIndex.from_bytes(STORED, OLD) == build_index(OLD)


def test_stored_bytes() -> None:
    assert build_index(b"aba").to_bytes() == (
        b"FOTAIDX1"
        + bytes([3, 0, 0, 0, 0, 0, 0, 0])
        + hashlib.sha256(b"aba").digest()
        + hashlib.sha256(bytes([2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])).digest()
        + bytes([2, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0])
    )


@QUICK
@given(st.integers(0, len(STORED) - 1), st.integers(1, 255))
def test_any_changed_byte_is_refused(place: int, change: int) -> None:
    data = bytearray(STORED)
    data[place] ^= change
    with pytest.raises(DeltaError, match="the stored index"):
        OldIndex.from_bytes(bytes(data), OLD)


@pytest.mark.parametrize("size", [0, 7, HEADER - 1, HEADER, HEADER + 3, len(STORED) - 1])
def test_cut_index_is_refused(size: int) -> None:
    with pytest.raises(DeltaError, match=r"is none, or of another version|is damaged"):
        OldIndex.from_bytes(STORED[:size], OLD)


def test_longer_index_is_refused() -> None:
    with pytest.raises(DeltaError, match="is damaged"):
        OldIndex.from_bytes(STORED + bytes(4), OLD)


def test_index_of_another_image_is_refused() -> None:
    with pytest.raises(DeltaError, match="is that of another image"):
        OldIndex.from_bytes(STORED, NEW)
    with pytest.raises(DeltaError, match="is that of another image"):
        make_patch(NEW, OLD, index=build_index(OLD))


@pytest.mark.parametrize("pure", ["0", "1"])
@pytest.mark.parametrize("number", [-1, 6000, 2**31 - 1, -(2**31)])
def test_forged_index_that_points_outside_is_refused(
    number: int, pure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    suffixes = array("i", build_index(OLD).suffixes)
    suffixes[700] = number
    monkeypatch.setenv("FOTABUILD_PURE_PYTHON", pure)
    refuse(OLD, suffixes)


FORGERIES: dict[str, Callable[[list[int]], None]] = {
    "two are exchanged": lambda s: s.insert(700, s.pop(701)),
    "permuted": random.Random(1).shuffle,
    "reversed": list.reverse,
    "one stands there twice": lambda s: s.__setitem__(700, s[701]),
    "the last one everywhere": lambda s: s.__setitem__(slice(None), [len(s) - 1] * len(s)),
    "a tenth of them near the end": lambda s: s.__setitem__(
        slice(0, None, 10), [len(s) - 1 - at % 12 for at in range(0, len(s), 10)]
    ),
}


@pytest.mark.parametrize("pure", ["0", "1"])
@pytest.mark.parametrize("forgery", FORGERIES)
def test_forged_index_that_points_into_the_image_is_refused(
    forgery: str, pure: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The kernel takes what stands in it for known, and would read behind the image."""
    suffixes = list(build_index(OLD).suffixes)
    FORGERIES[forgery](suffixes)
    monkeypatch.setenv("FOTABUILD_PURE_PYTHON", pure)
    refuse(OLD, array("i", suffixes))


@pytest.mark.parametrize("forgery", FORGERIES)
@pytest.mark.parametrize("effort", [Effort.FAST, Effort.BALANCED])
def test_patch_is_right_with_any_numbers(forgery: str, effort: Effort) -> None:
    suffixes = list(build_index(OLD).suffixes)
    FORGERIES[forgery](suffixes)
    patch = make_patch(OLD, NEW, effort=effort, index=OldIndex(OLD, array("i", suffixes)))
    assert apply_patch(OLD, patch.data) == NEW


def refuse(old: bytes, suffixes: array[int]) -> None:
    with pytest.raises(DeltaError, match="is not the order of the image's suffixes"):
        OldIndex.from_bytes(OldIndex(old, suffixes).to_bytes(), old)


def test_nothing_old() -> None:
    index = OldIndex.from_bytes(build_index(b"").to_bytes(), b"")
    assert make_patch(b"", NEW, index=index) == make_patch(b"", NEW)
