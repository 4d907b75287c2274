"""The compiled part of the encoder does exactly what the Python code does."""

from __future__ import annotations

import random
from array import array

import pytest

from fotabuild.delta import native_kernel, rounds
from fotabuild.delta.deadline import Deadline, TimeUpError
from fotabuild.delta.effort import SETTINGS, Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.native_kernel import NativeKernel
from fotabuild.delta.python_kernel import PythonKernel
from fotabuild.delta.rounds import plan_frames
from fotabuild.delta.search import check_plan
from fotabuild.delta.segments import Frame

from ..formats.golden import firmware
from .images import PAIRS

pytestmark = pytest.mark.cc


def mixed(seed: int) -> tuple[bytes, bytes]:
    """An image, and another one mostly made of its pieces."""
    chance = random.Random(seed)
    letters = chance.choice([1, 2, 3, 8, 256])
    old = bytes(chance.randrange(letters) for _ in range(chance.randrange(1, 500)))
    new = bytearray(b"!")
    while len(new) < 400 and chance.random() < 0.9:
        start = chance.randrange(len(old))
        new += old[start : start + chance.randrange(150)]
        new += bytes(chance.randrange(letters) for _ in range(chance.randrange(12)))
    for _ in range(chance.randrange(8)):
        new[chance.randrange(len(new))] ^= chance.randrange(256)
    return old, bytes(new)


@pytest.mark.parametrize("name", PAIRS)
def test_same_pieces_as_the_library(name: str) -> None:
    assert NativeKernel(*PAIRS[name]).match() == PythonKernel(*PAIRS[name]).match()


@pytest.mark.parametrize("seed", range(24))
def test_same_results_on_mixed_images(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rounds, "_LEAST_PART", 100)
    compare(*mixed(seed), list(SETTINGS) if seed in (0, 2) else [Effort.BALANCED, Effort.BEST])


def test_same_results_on_firmware() -> None:
    compare(firmware("fw-1.0.0")[:7000], firmware("fw-1.1.0")[:6000], [Effort.BALANCED])


def compare(old: bytes, new: bytes, efforts: list[Effort]) -> None:
    ours, reference = NativeKernel(old, new), PythonKernel(old, new)
    assert ours.match() == reference.match()
    for effort in efforts:
        candidates, settings = SETTINGS[effort]
        segments = ours.find_segments(candidates)
        assert segments == reference.find_segments(candidates)
        sizes = (len(old), len(new))
        for block_size in (64, 512):
            # Frames to begin with, so that the image is divided.
            start = [Frame(at, min(at + 50, len(new)), None) for at in range(0, len(new), 50)]
            for one, two in zip(
                *(
                    plan_frames(kernel, segments, sizes, block_size, settings, start)
                    for kernel in (ours, reference)
                ),
                strict=True,
            ):
                assert one == two
            check_plan(old, new, one.frames)
            assert ours.blocks(one.frames, 64) == reference.blocks(one.frames, 64)


def test_whole_patch_is_the_same_without_it(monkeypatch: pytest.MonkeyPatch, kernel: bool) -> None:
    assert kernel
    old, new = firmware("fw-1.0.0")[:5000], firmware("fw-1.1.0")[:5000]
    compiled = make_patch(old, new)
    assert compiled.stats.kernel
    monkeypatch.setenv("FOTABUILD_PURE_PYTHON", "1")
    interpreted = make_patch(old, new)
    assert not interpreted.stats.kernel
    assert interpreted.data == compiled.data


@pytest.mark.parametrize("kind", [NativeKernel, PythonKernel])
def test_work_ends_when_the_time_is_up(kind: type[NativeKernel | PythonKernel]) -> None:
    """The clock is read some times before it is late: each time, less than all was done."""
    old, new = firmware("fw-1.0.0")[:9000], firmware("fw-1.1.0")[:9000]
    candidates, settings = SETTINGS[Effort.BALANCED]
    segments = NativeKernel(old, new).find_segments(candidates)
    nodes = array("i", range(0, 9001, 40))
    for readings in range(1, 4):
        late = Deadline(1, iter([*[0.0] * readings, *[9.0] * 9]).__next__)
        with pytest.raises(TimeUpError):
            kind(old, new, None, late).plan(segments, nodes, 512, settings)
    for readings in range(1, 3):
        late = Deadline(1, iter([*[0.0] * readings, *[9.0] * 9]).__next__)
        with pytest.raises(TimeUpError):
            kind(old, new, NativeKernel(old, new).suffixes, late).find_segments(candidates)


def test_who_interrupts_the_compiled_part_is_heard() -> None:
    def interrupt() -> float:
        if started:
            raise KeyboardInterrupt
        return 0

    started: list[bool] = []
    old = new = firmware("fw-1.0.0")
    kernel = NativeKernel(old, new, None, Deadline(1, interrupt))
    started.append(True)
    with pytest.raises(KeyboardInterrupt):
        kernel.find_segments(SETTINGS[Effort.BALANCED][0])


def test_images_that_it_cannot_count_are_left_to_python(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(native_kernel, "_LARGEST_IMAGE", 100)
    assert native_kernel.usable_for(bytes(100), bytes(100))
    assert not native_kernel.usable_for(bytes(101), bytes(100))
