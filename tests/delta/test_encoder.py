"""The encoder on every kind of change, applied by the Python decoder in all ways."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.delta import encoder
from fotabuild.delta.deadline import Deadline
from fotabuild.delta.decoder import apply_patch_python
from fotabuild.delta.effort import Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.segments import Frame
from fotabuild.delta.writer import PackedFrame
from fotabuild.errors import DeltaError
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader

from ..formats.golden import firmware
from ..formats.strategies import QUICK
from .conftest import Apply
from .images import BLOCK_SIZES, PAIRS, noise

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


def test_step_that_the_time_ends_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The clock stands still until the second round of the second step."""
    rounds = iter([False, False, True])
    monkeypatch.setattr(Deadline, "passed", lambda _self: next(rounds, True))
    patch = make_patch(*PAIRS["growing"], effort=Effort.BEST, time_limit=1)
    assert patch.stats.sizes == ((Effort.FAST, len(patch.data)),)


def test_degenerate_images_take_no_longer_than_others(figure: Callable[[str], None]) -> None:
    """Zeros, two alternating bytes, noise: a megabyte of each, with a byte changed."""
    for name, old in (
        ("zeros", bytes(1 << 20)),
        ("alternating", b"ab" * (1 << 19)),
        ("noise", noise(1 << 20)),
    ):
        new = old[:600_000] + b"x" + old[600_001:]
        start = time.process_time()
        patch = make_patch(old, new, effort=Effort.FAST)
        seconds = time.process_time() - start
        figure(f"delta of a megabyte of {name}: {seconds:.2f} s, {len(patch.data)} bytes")
        assert len(patch.data) < 30_000
        assert seconds < 30  # Without shortened runs, zeros take minutes.


def test_patch_that_does_not_give_the_new_image_never_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Should matching or compression ever fail, the comparison finds it."""

    def gives(text: bytes, end: int, shift: int | None = None) -> None:
        frames = [PackedFrame(Frame(0, end, shift), bytes([len(text) << 4]) + text)]
        monkeypatch.setattr(encoder, "fill_frames", lambda *_: iter(frames))

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


@pytest.mark.parametrize("block_size", [-1, 0, 1, 63, 2**32])
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
