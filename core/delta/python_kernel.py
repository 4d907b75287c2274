"""The hot parts of the encoder in Python: the reference, and the way without a compiler."""

from __future__ import annotations

import functools
from array import array

from fotabuild.delta import records
from fotabuild.delta.bytewise import subtract
from fotabuild.delta.candidates import Finder
from fotabuild.delta.effort import CandidateSettings, PlanSettings
from fotabuild.delta.lz4_parser import block
from fotabuild.delta.plan import Planner
from fotabuild.delta.segments import Frame, Piece, Segment
from fotabuild.delta.suffix_array import suffix_array


class PythonKernel:
    """Works on a pair of images."""

    compiled = False

    def __init__(self, old: bytes, new: bytes) -> None:
        self._old = old
        self._new = new

    @functools.cached_property
    def _suffixes(self) -> list[int]:
        return suffix_array(self._old)

    def match(self) -> list[Piece]:
        """Return the pieces that bsdiff finds."""
        return records.match(self._old, self._new)

    def find_segments(self, hints: list[Segment], settings: CandidateSettings) -> list[Segment]:
        """Return where the new image resembles the old one, sorted."""
        if not self._old:
            return []
        return Finder(self._old, self._new, self._suffixes, settings).find(hints)

    def plan(
        self,
        segments: list[Segment],
        nodes: array[int],
        block_size: int,
        settings: PlanSettings,
    ) -> tuple[list[Frame], int]:
        """Return the cheapest frames that end at ``nodes``, and their price."""
        return Planner(self._old, self._new, segments, block_size, settings).plan(nodes)

    def block(self, frame: Frame, depth: int) -> bytes:
        """Return the frame as an LZ4 block."""
        begin, end, shift = frame
        data = self._new[begin:end]
        if shift is not None:
            data = subtract(data, self._old[begin + shift : end + shift])
        return block(data, depth)
