"""The hot parts of the encoder in C, when the installation could build them.

Same results as :mod:`fotabuild.delta.python_kernel`, in a hundredth of the time.
"""

from __future__ import annotations

import _thread  # threading takes long to load.
import ctypes
import functools
from array import array
from collections.abc import Iterable, Iterator
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int32, c_uint8, c_void_p
from itertools import chain, pairwise
from pathlib import Path
from typing import Any, cast

from fotabuild.delta import liblz4, shared_library
from fotabuild.delta.deadline import NO_DEADLINE, Deadline, TimeUpError
from fotabuild.delta.effort import CandidateSettings, PlanSettings
from fotabuild.delta.frames import LEVEL, fill_frames, largest_literal_frame
from fotabuild.delta.segments import LARGEST_FRAME, Frame, Piece, Segment, no_way
from fotabuild.delta.writer import PackedFrame

LIBRARY = "fotabuild_delta"
"""The library's name for linkers."""
_LARGEST_IMAGE = 2**28
"""Larger images are left to Python: the kernel counts in 32 bits, twice a cost among others."""


_NO_WAY = -2
_STOPPED = -3
_Stop = CFUNCTYPE(c_int)


class _Plan(Structure):
    _fields_ = [
        ("old_image", c_char_p),
        ("new_image", c_char_p),
        ("segments", c_void_p),
        ("nodes", c_void_p),
        ("segment_count", c_int32),
        ("node_count", c_int32),
        ("block_size", c_int32),
        ("window", c_int32),
        ("depth", c_int32),
        ("slack", c_int32),
        ("gain", c_int32),
        ("settled", c_int32),
        ("promise", c_int32),
        ("position", c_int32),
        ("stop", _Stop),
    ]


class _Fill(Structure):
    _fields_ = [
        ("old_image", c_char_p),
        ("new_image", c_char_p),
        ("pieces", c_void_p),
        ("old_size", c_int32),
        ("new_size", c_int32),
        ("piece_count", c_int32),
        ("block_size", c_int32),
        ("literal_limit", c_int32),
        ("level", c_int),
        ("create", c_void_p),
        ("reset", c_void_p),
        ("compress", c_void_p),
        ("destroy", c_void_p),
    ]


class _Candidates(Structure):
    _fields_ = [
        ("old_image", c_char_p),
        ("new_image", c_char_p),
        ("suffixes", c_void_p),
        ("old_size", c_int32),
        ("new_size", c_int32),
        ("neighbours", c_int32),
        ("least_match", c_int32),
        ("least_score", c_int32),
        ("drop", c_int32),
        ("margin", c_int32),
        ("lanes", c_int32),
        ("wide_lanes", c_int32),
        ("widen", c_int32),
        ("stop", _Stop),
    ]


def kernel_folder() -> Path:
    """Return the folder of the C source and, where it was built, of the library."""
    return Path(__file__).with_name("kernel")


def available() -> bool:
    """Whether the library was built. ``FOTABUILD_PURE_PYTHON=1`` turns it off."""
    return not shared_library.turned_off() and _library() is not None


@functools.cache
def _library() -> ctypes.CDLL | None:
    return shared_library.load(kernel_folder(), LIBRARY)


class NativeKernel:
    """Works on a pair of images."""

    compiled = True

    def __init__(
        self,
        old: bytes,
        new: bytes,
        suffixes: array[int] | None = None,
        deadline: Deadline = NO_DEADLINE,
    ) -> None:
        library = _library()
        if library is None:
            raise RuntimeError("the compiled part of the delta encoder is not installed")
        self._library = library
        self._old = old
        self._new = new
        self._deadline = deadline
        self._interrupted: BaseException | None = None
        self._lock = _thread.allocate_lock()
        self._sorted = suffixes

    @property
    def suffixes(self) -> array[int]:
        """The starts of all suffixes of the old image, in the order of the suffixes."""
        with self._lock:  # Others wait until the first one has it.
            if self._sorted is None:
                size = len(self._old)
                suffixes = array("i", [0]) * size
                numbers = (c_int32 * size).from_buffer(suffixes)
                self._require(self._library.fota_suffix_array(self._old, c_int32(size), numbers))
                self._sorted = suffixes
            return self._sorted

    def match(self) -> list[Piece]:
        """Return the pieces that bsdiff finds."""
        if not self._old or not self._new:
            return []
        found = POINTER(c_int32)()
        count = self._library.fota_bsdiff(
            self._old,
            c_int32(len(self._old)),
            self._new,
            c_int32(len(self._new)),
            c_void_p(self.suffixes.buffer_info()[0]),
            ctypes.byref(found),
        )
        return [Piece(*piece) for piece in self._take(found, count) if piece[2]]

    def fill(self, pieces: list[Piece], block_size: int) -> list[PackedFrame]:
        """Return pieces and what is between them in frames as full as possible."""
        functions = liblz4.stream_functions()
        if functions is None:
            return list(fill_frames(self._old, self._new, pieces, block_size))
        size = len(self._new)
        block_size = min(block_size, size + size // 255 + 16)  # No frame needs more.
        literal_limit = largest_literal_frame(block_size)
        numbers = _array(chain.from_iterable(pieces), 3 * len(pieces))
        most = size // literal_limit + 2 * len(pieces) + 1
        plain = size + block_size
        frames = (c_int32 * (3 * most))()
        blocks = (c_uint8 * (plain + plain // 255 + 16 * (most + 1)))()
        ends = (c_int32 * most)()
        task = _Fill(
            self._old,
            self._new,
            ctypes.addressof(numbers),
            len(self._old),
            size,
            len(pieces),
            block_size,
            literal_limit,
            LEVEL,
            *functions,
        )
        count = self._library.fota_fill(ctypes.byref(task), frames, blocks, ends)
        self._require(count)
        whole = bytes(memoryview(blocks)[: ends[count - 1]])
        return [
            PackedFrame(Frame(begin, end, None if start < 0 else start - begin), whole[at:behind])
            for (begin, end, start), (at, behind) in zip(
                _triples(frames, count), pairwise((0, *ends[:count])), strict=True
            )
        ]

    def find_segments(self, settings: CandidateSettings) -> list[Segment]:
        """Return where the new image resembles the old one, sorted."""
        if not self._old:
            return []
        task = _Candidates(
            self._old,
            self._new,
            self.suffixes.buffer_info()[0],
            len(self._old),
            len(self._new),
            settings.neighbours,
            settings.least_match,
            settings.least_score,
            settings.drop,
            settings.margin,
            settings.lanes,
            settings.wide_lanes,
            settings.widen,
            self._stop(),
        )
        found = POINTER(c_int32)()
        count = self._library.fota_candidates(ctypes.byref(task), ctypes.byref(found))
        return [Segment(*segment) for segment in self._take(found, count)]

    def plan(
        self,
        segments: list[Segment],
        nodes: array[int],
        block_size: int,
        settings: PlanSettings,
        position: int = 0,
    ) -> tuple[list[Frame], int]:
        """Return the cheapest frames that end at ``nodes``, and their price."""
        lanes = _array(chain.from_iterable(segments), 3 * len(segments))
        places = (c_int32 * len(nodes)).from_buffer(nodes)
        task = _Plan(
            self._old,
            self._new,
            ctypes.addressof(lanes),
            ctypes.addressof(places),
            len(segments),
            len(nodes),
            min(block_size, LARGEST_FRAME),
            min(block_size, LARGEST_FRAME),
            settings.depth,
            settings.slack,
            settings.gain,
            settings.settled,
            settings.promise,
            position,
            self._stop(),
        )
        frames = (c_int32 * (3 * len(nodes)))()
        price = c_int32()
        count = self._library.fota_plan(ctypes.byref(task), frames, ctypes.byref(price))
        self._require(count)
        return [
            Frame(begin, end, None if start < 0 else start - begin)
            for begin, end, start in _triples(frames, count)
        ], price.value + 1

    def blocks(self, frames: list[Frame], depth: int) -> list[bytes]:
        """Return the frames as LZ4 blocks."""
        numbers = chain.from_iterable(
            (begin, end, -1 if shift is None else begin + shift) for begin, end, shift in frames
        )
        sizes = [end - begin for begin, end, _ in frames]
        room = sum(size + size // 255 + 16 for size in sizes)
        blocks = (c_uint8 * max(1, room))()
        ends = (c_int32 * max(1, len(frames)))()
        written = self._library.fota_blocks(
            self._old,
            self._new,
            _array(numbers, 3 * len(frames)),
            c_int32(len(frames)),
            c_int32(depth),
            blocks,
            ends,
        )
        self._require(written)
        whole = bytes(memoryview(blocks)[: ends[len(frames) - 1]])
        return [whole[begin:end] for begin, end in pairwise((0, *ends[: len(frames)]))]

    def _stop(self) -> Any:
        """Return what the kernel asks now and then."""
        if not self._deadline.limited:
            return _Stop()
        answers = self._answers()
        next(answers)
        return _Stop(answers.__next__)

    def _answers(self) -> Iterator[bool]:
        """Say again and again whether the time is up.

        C cannot pass on what a signal raises here. A function would be interrupted on its way in,
        where it catches nothing; a generator waits where it does.
        """
        up = False
        while True:
            try:
                while True:
                    yield up
                    up = self._deadline.passed()
            except GeneratorExit:
                return
            except BaseException as error:
                self._interrupted, up = error, True

    def _require(self, status: int) -> None:
        if status == _NO_WAY:
            raise no_way()
        if status == _STOPPED:
            raise self._interrupted or TimeUpError
        if status < 0:
            raise MemoryError

    def _take(self, found: Any, count: int) -> list[tuple[int, int, int]]:
        """Copy an array of triples and free it."""
        try:
            self._require(count)
            return _triples(found, count)
        finally:
            self._library.fota_free(found)


def usable_for(old: bytes, new: bytes) -> bool:
    """Whether the library was built and can count the bytes of these images."""
    return max(len(old), len(new)) <= _LARGEST_IMAGE and available()


def is_suffix_array(text: bytes, numbers: array[int]) -> bool:
    """Whether numbers from elsewhere are the starts of all suffixes of a text, in their order."""
    if len(text) != len(numbers):
        return False
    pointer = c_void_p(numbers.buffer_info()[0])
    library = cast(ctypes.CDLL, _library())
    status = library.fota_is_suffix_array(text, c_int32(len(text)), pointer)
    if status < 0:
        raise MemoryError
    return bool(status)


def _array(numbers: Iterable[int], count: int) -> ctypes.Array[c_int32]:
    return (c_int32 * max(1, count))(*numbers)


def _triples(numbers: Any, count: int) -> list[tuple[int, int, int]]:
    flat = iter(numbers[: 3 * count])
    return list(zip(flat, flat, flat, strict=True))
