"""Candidates: where the new image resembles the old one, in Python and in C."""

from __future__ import annotations

import random
import struct

import pytest

from fotabuild.delta.effort import SETTINGS, CandidateSettings, Effort
from fotabuild.delta.native_kernel import NativeKernel
from fotabuild.delta.python_kernel import PythonKernel
from fotabuild.delta.segments import Segment

from .images import PAIRS, noise

FEW = SETTINGS[Effort.BALANCED][0]
MANY = SETTINGS[Effort.MAX][0]
KERNELS = (PythonKernel, pytest.param(NativeKernel, marks=pytest.mark.cc))
both = pytest.mark.parametrize("kernel", KERNELS)


def holds(segments: list[Segment], begin: int, end: int, shift: int) -> bool:
    return any(
        segment.shift == shift and segment.begin <= begin and segment.end >= end
        for segment in segments
    )


@both
@pytest.mark.parametrize("settings", [FEW, MANY], ids=["few", "many"])
@pytest.mark.parametrize("name", PAIRS)
def test_segments_lie_inside_both_images_in_order(
    kernel: type[PythonKernel] | type[NativeKernel], settings: CandidateSettings, name: str
) -> None:
    old, new = (image[:6000] for image in PAIRS[name])
    segments = kernel(old, new).find_segments(settings)
    assert segments == sorted(segments, key=lambda segment: (segment.begin, segment.shift))
    for begin, end, shift in segments:
        assert 0 <= begin < end <= len(new)
        assert 0 <= begin + shift < end + shift <= len(old)


@both
def test_blocks_are_found_where_they_went(kernel: type[PythonKernel] | type[NativeKernel]) -> None:
    old = noise(3000)
    new = noise(200, 2) + old[2000:2500] + noise(100, 3) + old[300:900]
    segments = kernel(old, new).find_segments(FEW)
    assert holds(segments, 200, 700, 1800)
    assert holds(segments, 800, 1400, -500)
    # What belongs to neither is in no segment but by the bytes that are added at the ends.
    assert all(end <= 700 + FEW.widen or begin >= 800 - FEW.widen for begin, end, _ in segments)


@both
def test_changed_bytes_do_not_cut_a_segment(
    kernel: type[PythonKernel] | type[NativeKernel],
) -> None:
    old = noise(2000)
    new = bytearray(noise(64, 2) + old)
    for at in range(100, len(new), 23):
        new[at] ^= 0x40
    assert holds(kernel(old, bytes(new)).find_segments(FEW), 64, 2064, -64)


@both
def test_a_table_of_addresses_that_moved_is_one_segment(
    kernel: type[PythonKernel] | type[NativeKernel],
) -> None:
    """Its words differ in the low bytes only; the code around it says where it is."""
    rng = random.Random(5)
    words = [0x08010000 + 4 * rng.randrange(0x1000) for _ in range(40)]
    before, after = noise(400, 6), noise(400, 7)
    old = before + struct.pack("<40I", *words) + after
    new = before + struct.pack("<40I", *(word + 0x24 for word in words)) + after
    assert holds(kernel(old, new).find_segments(FEW), 0, len(new), 0)


@both
def test_short_matches_are_looked_at_on_demand(
    kernel: type[PythonKernel] | type[NativeKernel],
) -> None:
    """Five equal bytes at a time count with more effort only."""
    old = noise(1500)
    new = bytearray(old)
    for at in range(0, len(new), 6):
        new[at] ^= 1 + at % 255
    assert not holds(kernel(old, bytes(new)).find_segments(FEW), 100, 1400, 0)
    assert holds(kernel(old, bytes(new)).find_segments(MANY), 100, 1400, 0)


@both
def test_nothing_resembles_an_empty_image(kernel: type[PythonKernel] | type[NativeKernel]) -> None:
    assert kernel(b"", b"new").find_segments(FEW) == []
    assert kernel(b"o", b"n").find_segments(FEW) == []
    assert kernel(noise(900), noise(900, 2)).find_segments(FEW) == []
