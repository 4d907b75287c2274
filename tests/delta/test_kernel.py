"""The compiled part of the encoder does exactly what the Python code does."""

from __future__ import annotations

import random
from array import array
from ctypes import CFUNCTYPE, c_int, c_void_p, cast
from typing import Any

import lz4.block
import pytest

from fotabuild.delta import liblz4, native_kernel, rounds
from fotabuild.delta.deadline import Deadline, TimeUpError
from fotabuild.delta.effort import SETTINGS, Effort
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.frames import fill_frames, largest_literal_frame, literal_block
from fotabuild.delta.native_kernel import NativeKernel
from fotabuild.delta.python_kernel import PythonKernel
from fotabuild.delta.rounds import plan_frames
from fotabuild.delta.search import check_plan, match_pieces
from fotabuild.delta.segments import Frame, Piece
from fotabuild.errors import DeltaError

from ..formats.golden import firmware
from .images import PAIRS, noise

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


@pytest.mark.parametrize("hidden", [False, True])
@pytest.mark.parametrize("block_size", [64, 300, 512, 1 << 24])
@pytest.mark.parametrize("name", PAIRS)
def test_same_frames_as_the_package(
    name: str, block_size: int, hidden: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether liblz4's functions are to be found or not."""
    old, new = PAIRS[name]
    kernel = NativeKernel(old, new)
    pieces = match_pieces(old, new, kernel)
    if hidden:
        monkeypatch.setattr(liblz4, "stream_functions", lambda: None)
    assert kernel.fill(pieces, block_size) == list(fill_frames(old, new, pieces, block_size))


@pytest.mark.parametrize("seed", range(12))
def test_same_frames_on_mixed_images(seed: int) -> None:
    old, new = mixed(seed)
    kernel = NativeKernel(old, new)
    for block_size in (64, 65, 80, 100):
        frames = kernel.fill(kernel.match(), block_size)
        assert frames == list(fill_frames(old, new, kernel.match(), block_size))


def test_functions_of_liblz4_are_found_or_done_without(monkeypatch: pytest.MonkeyPatch) -> None:
    found = liblz4.stream_functions.__wrapped__()
    assert found is None or (len(found) == 4 and all(function.value for function in found))
    monkeypatch.setattr(liblz4, "_NAMES", ("LZ4_not_in_any_version",))
    assert liblz4.stream_functions.__wrapped__() is None
    monkeypatch.setattr(lz4.block._block, "__file__", "/no/such/library")
    assert liblz4.stream_functions.__wrapped__() is None


def compressing(length: int) -> list[Any]:
    """Stand in for liblz4 with functions that write nothing and give this length for each block."""
    return [
        CFUNCTYPE(c_void_p)(lambda: 1),
        CFUNCTYPE(None, c_void_p, c_int)(lambda *_: None),
        CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, c_int)(lambda *_: length),
        CFUNCTYPE(c_int, c_void_p)(lambda _: 0),
    ]


def use(functions: list[Any], monkeypatch: pytest.MonkeyPatch) -> None:
    addresses = [cast(function, c_void_p) for function in functions]
    monkeypatch.setattr(liblz4, "stream_functions", lambda: addresses)


@pytest.mark.parametrize(
    "pieces",
    [
        [Piece(0, 5, 6)],
        [Piece(5, 0, 6)],
        [Piece(-1, 0, 2)],
        [Piece(0, -1, 2)],
        [Piece(0, 0, -1)],
        [Piece(3, 0, 2), Piece(2, 0, 2)],
    ],
)
def test_pieces_outside_the_images_are_refused(
    pieces: list[Piece], monkeypatch: pytest.MonkeyPatch
) -> None:
    functions = compressing(1)
    use(functions, monkeypatch)
    with pytest.raises(DeltaError, match="no frames lead to the end"):
        NativeKernel(bytes(10), bytes(10)).fill(pieces, 64)


def test_frames_that_cannot_be_compressed_are_literals(monkeypatch: pytest.MonkeyPatch) -> None:
    new = noise(1000)
    functions = compressing(1001)
    use(functions, monkeypatch)
    for block_size in (64, 300, 512):
        limit = largest_literal_frame(block_size)
        assert [packed.block for packed in NativeKernel(b"", new).fill([], block_size)] == [
            literal_block(new[at : at + limit]) for at in range(0, len(new), limit)
        ]


def test_failed_compression_is_no_frame(monkeypatch: pytest.MonkeyPatch) -> None:
    functions = compressing(0)
    use(functions, monkeypatch)
    with pytest.raises(MemoryError):
        NativeKernel(b"", b"new").fill([], 64)


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
