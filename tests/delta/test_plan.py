"""The plan: the cheapest frames, at the price that the file then has."""

from __future__ import annotations

from array import array
from collections.abc import Callable

import pytest

from fotabuild.delta.effort import SETTINGS, Effort
from fotabuild.delta.plan import seek_size, varint_size
from fotabuild.delta.python_kernel import PythonKernel
from fotabuild.delta.rounds import plan_frames
from fotabuild.delta.search import Kernel, check_plan, open_kernel, pack_frames
from fotabuild.delta.segments import Frame, Segment, merge_segments
from fotabuild.delta.writer import write_patch
from fotabuild.errors import DeltaError
from fotabuild.formats.patch_stream import HEADER_SIZE, encode_signed_varint, encode_varint

from .images import PAIRS, noise

CANDIDATES, PLAN = SETTINGS[Effort.BALANCED]


@pytest.mark.parametrize("block_size", [64, 512, 4096])
@pytest.mark.parametrize(
    "name", ["growing", "shrinking", "halves exchanged", "unrelated", "other byte", "nothing old"]
)
def test_price_is_the_size_of_the_file(name: str, block_size: int) -> None:
    old, new = PAIRS[name]
    kernel = open_kernel(old, new)
    segments = kernel.find_segments(CANDIDATES)
    nodes = array("i", sorted({*range(0, len(new), 32), len(new)}))
    planned, price = kernel.plan(segments, nodes, block_size, PLAN)
    check_plan(old, new, planned)
    assert {frame.end for frame in planned} <= set(nodes)
    patch = write_patch(len(new), block_size, pack_frames(kernel, planned, block_size))
    # Blocks are coded with a deeper search than they were priced with.
    assert price - 0.015 * price <= len(patch) - HEADER_SIZE <= price


def test_every_round_is_no_dearer() -> None:
    old, new = PAIRS["growing"]
    kernel = open_kernel(old, new)
    segments = kernel.find_segments(CANDIDATES)
    rounds = plan_frames(kernel, segments, (len(old), len(new)), 512, SETTINGS[Effort.BEST][1], [])
    sizes = [
        len(write_patch(len(new), 512, pack_frames(kernel, planned, 512))) for planned, _ in rounds
    ]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] < sizes[0]


@pytest.mark.parametrize("kernel", [open_kernel, PythonKernel])
def test_end_of_a_segment_between_two_nodes_is_no_dead_end(
    kernel: Callable[[bytes, bytes], Kernel],
) -> None:
    image = noise(300)
    settings = PLAN._replace(settled=32)
    for end in (100, 140, 199, 200):
        nodes = array("i", [0, 100, 200, 300])
        planned, _ = kernel(image, image).plan([Segment(0, end, 0)], nodes, 128, settings)
        check_plan(image, image, planned)


@pytest.mark.parametrize("kernel", [open_kernel, PythonKernel])
def test_nodes_further_apart_than_a_frame_is_long_are_refused(
    kernel: Callable[[bytes, bytes], Kernel],
) -> None:
    image = noise(500)
    for nodes in ([0, 300, 500], [0, 100, 400, 500], [0, 100, 500]):
        with pytest.raises(DeltaError, match="no frames lead to the end"):
            kernel(image, image).plan([Segment(0, 500, 0)], array("i", nodes), 128, PLAN)


def test_part_of_an_image_goes_on_where_the_last_one_ended() -> None:
    old, new = PAIRS["growing"]
    kernel = open_kernel(old, new)
    segments = [Segment(0, 4000, 0)]
    nodes = array("i", range(1000, 3001, 100))
    planned, price = kernel.plan(segments, nodes, 512, PLAN, 1000)
    assert (planned[0].begin, planned[-1].end) == (1000, 3000)
    assert price <= kernel.plan(segments, nodes, 512, PLAN, 7)[1]


def test_moved_halves_are_found() -> None:
    old, new = PAIRS["halves exchanged"]
    segments = open_kernel(old, new).find_segments(CANDIDATES)
    assert {18000, 18000 - len(old)} <= {segment.shift for segment in segments}


@pytest.mark.parametrize(
    ("planned", "problem"),
    [
        ([], "ends at byte 0"),
        ([Frame(0, 2, None)], "ends at byte 2"),
        ([Frame(1, 3, None)], "wrong at byte 1"),
        ([Frame(0, 2, None), Frame(1, 3, None)], "wrong at byte 1"),
        ([Frame(0, 0, None), Frame(0, 3, None)], "wrong at byte 0"),
        ([Frame(0, 3, 1)], "wrong at byte 0"),
        ([Frame(0, 3, -1)], "wrong at byte 0"),
    ],
)
def test_wrong_plan_is_refused(planned: list[Frame], problem: str) -> None:
    with pytest.raises(DeltaError, match=problem):
        check_plan(b"old", b"new", planned)


def test_sizes_of_numbers() -> None:
    for value in (0, 1, 63, 64, 127, 128, 16383, 16384, 2**31):
        assert varint_size(value) == len(encode_varint(value))
        assert seek_size(value) == len(encode_signed_varint(value))
        assert seek_size(-value) == len(encode_signed_varint(-value))


def test_overlapping_segments_of_a_shift_become_one() -> None:
    assert merge_segments(
        [Segment(50, 90, 4), Segment(0, 60, 4), Segment(90, 95, 4), Segment(10, 20, 7)]
    ) == [Segment(0, 95, 4), Segment(10, 20, 7)]
    assert merge_segments([Segment(0, 9, 1), Segment(10, 20, 1)]) == [
        Segment(0, 9, 1),
        Segment(10, 20, 1),
    ]
    assert merge_segments([Segment(0, 50, 1), Segment(10, 20, 1)]) == [Segment(0, 50, 1)]
