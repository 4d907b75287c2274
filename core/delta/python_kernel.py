"""The hot parts of the encoder in Python: the reference, and the way without a compiler."""

from __future__ import annotations

from array import array

from fotabuild.delta import records
from fotabuild.delta.bytewise import subtract
from fotabuild.delta.candidates import Finder
from fotabuild.delta.deadline import NO_DEADLINE, Deadline
from fotabuild.delta.effort import CandidateSettings, PlanSettings
from fotabuild.delta.frames import fill_frames
from fotabuild.delta.lz4_parser import block
from fotabuild.delta.plan import Planner
from fotabuild.delta.segments import Frame, Piece, Segment
from fotabuild.delta.suffix_array import suffix_array
from fotabuild.delta.writer import PackedFrame


class PythonKernel:
    """Works on a pair of images."""

    compiled = False

    def __init__(
        self,
        old: bytes,
        new: bytes,
        suffixes: array[int] | None = None,
        deadline: Deadline = NO_DEADLINE,
    ) -> None:
        self._old = old
        self._new = new
        self._sorted = suffixes
        self._deadline = deadline

    @property
    def suffixes(self) -> array[int]:
        """The starts of all suffixes of the old image, in the order of the suffixes."""
        if self._sorted is None:
            self._sorted = array("i", suffix_array(self._old, self._deadline))
        return self._sorted

    def match(self) -> list[Piece]:
        """Return the pieces that bsdiff finds."""
        return records.match(self._old, self._new)

    def fill(self, pieces: list[Piece], block_size: int) -> list[PackedFrame]:
        """Return pieces and what is between them in frames as full as possible."""
        return list(fill_frames(self._old, self._new, pieces, block_size))

    def find_segments(self, settings: CandidateSettings) -> list[Segment]:
        """Return where the new image resembles the old one, sorted."""
        if not self._old:
            return []
        return Finder(self._old, self._new, self.suffixes, settings, self._deadline).find()

    def plan(
        self,
        segments: list[Segment],
        nodes: array[int],
        block_size: int,
        settings: PlanSettings,
        position: int = 0,
    ) -> tuple[list[Frame], int]:
        """Return the cheapest frames that end at ``nodes``, and their price."""
        planner = Planner(self._old, self._new, segments, block_size, settings, self._deadline)
        return planner.plan(nodes, position)

    def blocks(self, frames: list[Frame], depth: int) -> list[bytes]:
        """Return the frames as LZ4 blocks."""
        return [block(self._string(frame), depth) for frame in frames]

    def _string(self, frame: Frame) -> bytes:
        begin, end, shift = frame
        data = self._new[begin:end]
        if shift is None:
            return data
        return subtract(data, self._old[begin + shift : end + shift])
