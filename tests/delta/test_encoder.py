"""The encoder on every kind of change, applied by the Python decoder in all ways."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from bsdiff4 import core
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.delta import rounds
from fotabuild.delta.deadline import TimeUpError
from fotabuild.delta.decoder import apply_patch_python
from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.rounds import Plan
from fotabuild.delta.rounds import plan_frames as plan_really
from fotabuild.delta.search import open_kernel
from fotabuild.delta.segments import Frame
from fotabuild.delta.writer import PackedFrame
from fotabuild.errors import DeltaError
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader

from ..formats.golden import firmware
from ..formats.strategies import QUICK
from .conftest import Apply
from .images import BLOCK_SIZES, PAIRS, noise

PERIODS = (1, 2, 3, 8, 12, 16, 48, 49, 1000)
SHORT = (40_000, 64_000)
CHUNKS = (1, 2, 3, 7, 39, 40, 41, 64, 512, 1000, 1 << 20)


@pytest.mark.parametrize("name", PAIRS)
def test_every_change_and_every_chunk_size(name: str) -> None:
    old, new = PAIRS[name]
    patch = make_patch(old, new).data
    for chunk in CHUNKS if len(patch) < 20_000 else (7, 512):
        assert apply_patch_python(old, patch, chunk) == new


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
@pytest.mark.parametrize("name", ["growing", "incompressible", "identical", "other byte"])
def test_every_block_size(name: str, block_size: int) -> None:
    old, new = PAIRS[name]
    patch = make_patch(old, new, block_size=block_size).data
    header = PatchHeader.decode(patch[:HEADER_SIZE])
    assert (header.new_size, header.block_size) == (len(new), block_size)
    # The decoder refuses a header that is not true about its longest frame.
    assert apply_patch_python(old, patch) == new


@pytest.mark.cc
@pytest.mark.parametrize("name", PAIRS)
def test_c_decoder_makes_the_same_image(name: str, apply_in_c: Apply) -> None:
    old, new = PAIRS[name]
    for block_size in (64, 512, 65536):
        patch = make_patch(old, new, block_size=block_size).data
        for chunk in (1, 512, len(patch)):
            assert apply_in_c(old, patch, chunk) == new


@pytest.mark.cc
def test_four_mebibytes(apply_in_c: Apply) -> None:
    old = noise(4 << 20)
    new = old[: 1 << 20] + b"inserted" + old[1 << 20 : 3 << 20] + noise(5000, 9) + old[3 << 20 :]
    patch = make_patch(old, new, effort=Effort.FAST).data
    assert len(patch) < len(new) // 20
    assert apply_patch_python(old, patch) == apply_in_c(old, patch, 512) == new


def test_four_mebibytes_that_share_nothing() -> None:
    """Incompressible and unrelated: the patch is hardly larger than the image."""
    new = noise(4 << 20)
    patch = make_patch(firmware("tiny-a"), new, effort=Effort.FAST).data
    assert len(new) < len(patch) < 1.02 * len(new)
    assert apply_patch_python(firmware("tiny-a"), patch, 4096) == new


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("identical", 1000),
        ("one byte changed", 1100),
        ("one byte inserted", 1100),
        ("one byte removed", 1100),
        ("halves exchanged", 1200),
        ("growing", 21_000),
        ("only the beginning", 100),
    ],
)
def test_small_changes_make_small_patches(name: str, limit: int) -> None:
    assert len(make_patch(*PAIRS[name]).data) < limit


def test_same_images_give_the_same_patch() -> None:
    assert make_patch(*PAIRS["growing"]) == make_patch(*PAIRS["growing"])


def test_more_effort_never_gives_more_bytes() -> None:
    for name in ("growing", "shrinking", "halves exchanged", "identical byte", "end padded"):
        sizes = [len(make_patch(*PAIRS[name], effort=effort).data) for effort in Effort]
        assert sizes == sorted(sizes, reverse=True)
    # The images of real firmware gain from every step.
    sizes = [len(make_patch(*PAIRS["growing"], effort=effort).data) for effort in Effort]
    assert len(set(sizes)) == len(Effort)


def test_statistics_are_those_of_the_patch() -> None:
    patch = make_patch(*PAIRS["growing"], effort=Effort.BEST)
    assert [effort for effort, _ in patch.stats.sizes] == list(Effort)[:3]
    assert patch.stats.sizes[-1] == (Effort.BEST, len(patch.data))
    assert patch.stats.complete
    assert dict(patch.stats.sizes)[patch.stats.effort] == len(patch.data)


def test_without_time_the_first_step_is_all() -> None:
    old, new = PAIRS["growing"]
    patch = make_patch(old, new, effort=Effort.MAX, time_limit=0)
    assert [effort for effort, _ in patch.stats.sizes] == [Effort.FAST]
    assert not patch.stats.complete
    assert apply_patch_python(old, patch.data) == new
    assert patch.data == make_patch(old, new, effort=Effort.FAST).data


def test_finished_round_is_kept_when_the_time_ends_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The clock stands still until rounds of the second step are done."""
    old, new = PAIRS["growing"]
    fast, balanced = make_patch(old, new).stats.sizes
    sizes = []
    for done in range(3):
        left = iter(range(done))

        def plan_frames(*args: Any, left: Iterator[int] = left) -> Iterator[Plan]:
            for plan in plan_really(*args):
                if next(left, None) is None:
                    raise TimeUpError
                yield plan

        monkeypatch.setattr(rounds, "plan_frames", plan_frames)
        patch = make_patch(old, new, effort=Effort.BEST, time_limit=1000)
        assert apply_patch_python(old, patch.data) == new
        assert not patch.stats.complete
        assert patch.stats.sizes[-1][1] == len(patch.data)
        sizes.append(len(patch.data))
    assert sizes[0] > sizes[1] > sizes[2]
    assert (sizes[0], sizes[2]) == (fast[1], balanced[1])


@pytest.mark.parametrize("pure", [pytest.param("0", marks=pytest.mark.cc), "1"])
def test_time_limit_ends_the_work_at_any_point(
    pure: str, monkeypatch: pytest.MonkeyPatch, figure: Callable[[str], None]
) -> None:
    monkeypatch.setenv("FOTABUILD_PURE_PYTHON", pure)
    old, new = firmware("fw-1.0.0") * 8, firmware("fw-1.1.0") * 8
    start = time.process_time()
    make_patch(old, new, effort=Effort.FAST)
    least = time.process_time() - start
    for limit in (0.02, 0.1):
        start = time.process_time()
        patch = make_patch(old, new, effort=Effort.MAX, block_size=4096, time_limit=limit)
        seconds = time.process_time() - start
        figure(f"time limit {limit} s: {seconds:.2f} s, {patch.stats.sizes}")
        assert not patch.stats.complete
        assert seconds < max(least, limit) + 2  # Of work.


def test_smallest_round_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """Later rounds look around the cuts of earlier ones; now and then, they lose by a byte."""
    old, new = PAIRS["growing"]

    def worse_at_last(*args: Any) -> Iterator[Plan]:
        plans = list(plan_really(*args))
        return iter([*plans, plans[0]])

    patch = make_patch(old, new)
    monkeypatch.setattr(rounds, "plan_frames", worse_at_last)
    assert make_patch(old, new) == patch


def moved(period: int, size: int) -> tuple[bytes, bytes]:
    """A repeated pattern, and the same begun one byte later: the worst case of bsdiff's search."""
    image = (noise(period, period) * (size // period + 1))[:size]
    return image, image[1:] + image[:1]


def fast_seconds(old: bytes, new: bytes, limit: int) -> float:
    """Seconds that a patch at effort ``fast`` takes; its size must be below a limit."""
    start = time.process_time()
    patch = make_patch(old, new, effort=Effort.FAST)
    seconds = time.process_time() - start
    assert len(patch.data) < limit
    return seconds


def test_degenerate_images_take_no_longer_than_others(figure: Callable[[str], None]) -> None:
    """A megabyte of zeros, of patterns, of firmware with a pattern: against noise."""
    old = noise(1 << 20)
    usual = fast_seconds(old, old[:600_000] + b"x" + old[600_001:], 30_000)
    code, changed = firmware("fw-1.0.0"), firmware("fw-1.0.1")
    images = {f"a pattern of {period}": moved(period, 1 << 20) for period in PERIODS}
    images["zeros"] = bytes(1 << 20), bytes(600_000) + b"x" + bytes((1 << 20) - 600_001)
    table, same = moved(3, 240_000)
    images["firmware and a table"] = code + table, changed + same + b"end" * 30
    for name, pair in images.items():
        ratio = fast_seconds(*pair, 32_000) / usual
        figure(f"patch of {name} moved by a byte: {ratio:.2f} of the time of noise")
        assert ratio < 1.5


@pytest.mark.cc
def test_short_and_unusual_repetition_takes_no_longer_than_with_the_library(
    figure: Callable[[str], None], kernel: bool
) -> None:
    """Below what is shortened, and what is no run: bsdiff itself compares square numbers."""
    assert kernel
    other = bytearray(noise(50_000))
    for place in range(0, len(other), 10_000):
        other[place] ^= 1
    pairs = {f"{period} x {size}": moved(period, size) for period in PERIODS for size in SHORT}
    pairs["a period of 5000"] = moved(5000, 300_000)
    pairs["two slots"] = noise(50_000) + bytes(other), bytes(other) + noise(50_000)
    ours, theirs = [], []
    for name, (old, new) in pairs.items():
        ours.append(fast_seconds(old, new, len(new) // 10))
        start = time.process_time()
        core.diff(old, new)
        theirs.append(time.process_time() - start)
        ratio = ours[-1] / theirs[-1]
        figure(f"patch of {name}: {ratio:.2f} of the time that bsdiff4 takes to match")
    assert sum(ours[:-1]) < 1.5 * sum(theirs[:-1])
    # Nothing repeats one by one here: every long stretch is compared once only.
    assert ours[-1] < 0.2 * theirs[-1]


def test_patch_that_does_not_give_the_new_image_never_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Should matching or compression ever fail, the comparison finds it."""
    kernel = type(open_kernel(b"old", b"new"))

    def gives(text: bytes, end: int, shift: int | None = None) -> None:
        frames = [PackedFrame(Frame(0, end, shift), bytes([len(text) << 4]) + text)]
        monkeypatch.setattr(kernel, "fill", lambda *_: frames)

    gives(b"neW", 3)
    with pytest.raises(DeltaError, match="does not reproduce the new image"):
        make_patch(b"old", b"new", effort=Effort.FAST)
    gives(b"ne", 2)
    with pytest.raises(DeltaError, match="the plan ends at byte 2"):
        make_patch(b"old", b"new", effort=Effort.FAST)
    gives(b"new", 3, 1)
    with pytest.raises(DeltaError, match="the plan is wrong at byte 0"):
        make_patch(b"old", b"new", effort=Effort.FAST)


def test_empty_new_image_is_an_error() -> None:
    with pytest.raises(DeltaError, match="no patch can make an image of 0 bytes"):
        make_patch(b"old", b"")


@pytest.mark.parametrize("block_size", [-1, 0, 1, 63, (1 << 24) + 1, 2**32])
def test_block_size_that_no_device_accepts_is_an_error(block_size: int) -> None:
    with pytest.raises(DeltaError, match="out of range") as caught:
        make_patch(b"old", b"new", block_size=block_size)
    assert caught.value.field == "block-size"


pieces = st.lists(st.binary(max_size=40) | st.integers(1, 600).map(bytes), max_size=8)


@QUICK
@given(pieces, pieces, st.randoms(use_true_random=False), st.sampled_from([64, 100, 512]))
def test_any_two_images(
    common: list[bytes], fresh: list[bytes], order: st.DataObject, block_size: int
) -> None:
    old = b"".join(common)
    mixed = [*common, *fresh]
    order.shuffle(mixed)  # type: ignore[attr-defined]
    new = b"".join(mixed) or b"\0"
    assert apply_patch_python(old, make_patch(old, new, block_size=block_size).data, 17) == new
