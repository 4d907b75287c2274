"""The cheapest way through the new image (reference of ``kernel/plan.c``).

A node is a place where a frame may end. At a node, the cheapest ways that end there are known for
each mode: inside the extra string, or inside a diff string along one of the segments. From there,
one pass of the parser gives the exact price of the frames to all later nodes.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from dataclasses import dataclass
from typing import NamedTuple

from fotabuild.delta.bytewise import subtract
from fotabuild.delta.deadline import NO_DEADLINE, Deadline
from fotabuild.delta.effort import PlanSettings
from fotabuild.delta.lz4_parser import NEVER, START, Matcher, State, block_end, next_state
from fotabuild.delta.segments import LARGEST_FRAME, Frame, Segment, no_way

_EXTRA = -1
_FURTHER = 16  # Hardly more cost so many bytes further makes a beginning useless.
_PROMISE = 8
_NODES_AT_ONCE = 64


class _Label(NamedTuple):
    """The cheapest way to a node in one mode.

    Attributes:
        cost: bytes up to here; the seek of the last record is paid when the next one opens.
        origin: node where the last frame begins.
        mode: lane of the label there, or ``_EXTRA``.
        string: where the string that the frame belongs to begins.
        position: place in the old image behind the last diff.
    """

    cost: int
    origin: int
    mode: int
    string: int
    position: int


_NO_LABEL = _Label(NEVER, -1, _EXTRA, 0, 0)


@dataclass
class _Lane:
    segment: Segment
    first: int
    last: int
    start: int
    matcher: Matcher
    labels: list[_Label]


def varint_size(value: int) -> int:
    """Return the bytes of an unsigned varint."""
    return max(1, (value.bit_length() + 6) // 7)


def seek_size(seek: int) -> int:
    """Return the bytes of a signed varint."""
    return varint_size(abs(seek) << 1)


class Planner:
    """Finds the cheapest frames that end at given nodes."""

    def __init__(
        self,
        old: bytes,
        new: bytes,
        segments: list[Segment],
        block_size: int,
        settings: PlanSettings,
        deadline: Deadline = NO_DEADLINE,
    ) -> None:
        self._old = old
        self._new = new
        self._segments = segments
        self._block_size = min(block_size, LARGEST_FRAME)
        self._window = min(block_size, LARGEST_FRAME)
        self._settings = settings
        self._deadline = deadline

    def plan(self, nodes: array[int], position: int = 0) -> tuple[list[Frame], int]:
        """Return the frames and their price without the header of the patch.

        Args:
            nodes: places where frames may end, sorted; the frames go from the first to the last.
            position: place in the old image where a diff at the first node would go on.

        Raises:
            DeltaError: two nodes are further apart than a frame is long.
            TimeUpError: the deadline has passed.
        """
        self._nodes = nodes
        self._best = [NEVER] * len(nodes)
        self._extra = [_NO_LABEL] * len(nodes)
        # Opening a record takes two bytes; the last seek is always one.
        self._extra[0] = _Label(2, -1, _EXTRA, nodes[0], position)
        self._best[0] = 2
        self._extra_matcher = Matcher(self._new, self._window, self._settings.depth)
        self._lanes: dict[int, _Lane] = {}
        active: list[int] = []
        waiting = 0
        for node in range(len(nodes) - 1):
            if node % _NODES_AT_ONCE == 0:
                self._deadline.check()
            active = [index for index in active if self._lanes[index].last >= node]
            while waiting < len(self._segments) and self._segments[waiting].begin <= nodes[node]:
                if self._open_lane(waiting, node):
                    active.append(waiting)
                waiting += 1
            self._leave_node(node, active)
        return self._walk_back()

    def _open_lane(self, index: int, node: int) -> bool:
        _, end, shift = self._segments[index]
        last = bisect_right(self._nodes, end) - 1
        if last <= node:
            return False
        at = self._nodes[node]
        data = subtract(self._new[at:end], self._old[at + shift : end + shift])
        matcher = Matcher(data, self._window, self._settings.depth)
        self._lanes[index] = _Lane(
            self._segments[index], node, last, at, matcher, [_NO_LABEL] * (last - node + 1)
        )
        return True

    def _leave_node(self, node: int, active: list[int]) -> None:
        at = self._nodes[node]
        extra = self._extra[node]._replace(mode=_EXTRA)
        cheapest = extra
        for index in active:
            lane = self._lanes[index]
            label = lane.labels[node - lane.first]
            if label.cost < cheapest.cost:
                cheapest = label._replace(mode=index)
        if cheapest.cost >= NEVER:
            return
        if cheapest.mode != _EXTRA:
            extra = cheapest._replace(string=at)
        settled = self._is_settled(cheapest, node)
        if not settled:
            self._price_frames(node, None, extra)
        ahead = node + 1
        while ahead < len(self._nodes) and self._nodes[ahead] < at + _FURTHER:
            ahead += 1
        for index in active:
            lane = self._lanes[index]
            label = lane.labels[node - lane.first]._replace(mode=index)
            if not settled:
                label = self._entry(node, label, lane, cheapest)
            if label.cost < NEVER and (
                ahead > lane.last
                or lane.labels[ahead - lane.first].cost > label.cost + self._settings.gain
            ):
                self._price_frames(node, lane, label)

    def _is_settled(self, cheapest: _Label, node: int) -> bool:
        """Whether the cheapest way goes on through equal bytes, so that none other is begun."""
        count = self._settings.settled
        if not count or cheapest.mode == _EXTRA:
            return False
        lane = self._lanes[cheapest.mode]
        at = self._nodes[node]
        return lane.last > node and self._promise(lane.segment, at, count) == count

    def _entry(self, node: int, label: _Label, lane: _Lane, cheapest: _Label) -> _Label:
        """Return what frames of a lane begin with at a node: its own label, or another's."""
        at = self._nodes[node]
        seek = at + lane.segment.shift - cheapest.position
        same = seek == 0 and (cheapest.mode != _EXTRA or node == 0)
        cost = cheapest.cost + (0 if same else 2 + seek_size(seek))
        if (
            cost < label.cost
            and self._promise(lane.segment, at, _PROMISE) >= self._settings.promise
        ):
            label = cheapest._replace(cost=cost)
            if cheapest.mode == _EXTRA or seek:
                label = label._replace(string=at)
        return label

    def _promise(self, segment: Segment, at: int, count: int) -> int:
        """Count how many of the next bytes are the same along a segment."""
        end = min(at + count, segment.end)
        shift = segment.shift
        return sum(
            one == two
            for one, two in zip(self._new[at:end], self._old[at + shift : end + shift], strict=True)
        )

    def _price_frames(self, node: int, lane: _Lane | None, label: _Label) -> None:
        """Price all frames from a node in one mode; ``label`` is what they begin with."""
        nodes, best = self._nodes, self._best
        start = nodes[node]
        if lane is None:
            matcher, labels, first, origin = self._extra_matcher, self._extra, 0, 0
            last = len(nodes) - 1
        else:
            matcher, labels, first, origin = lane.matcher, lane.labels, lane.first, lane.start
            last = lane.last
        known = varint_size(start - label.string)
        states: list[State] = [START]
        for following in range(node + 1, last + 1):
            end = nodes[following]
            length = end - start
            if length > self._window:
                break
            matcher.run(start - origin, end - origin)
            while len(states) <= length:
                states.append(next_state(states, matcher.found(start - origin + len(states))))
            size, _ = block_end(states, length)
            cost = label.cost + size
            if size > self._block_size or cost > best[following] + self._settings.slack:
                break
            cost += varint_size(size) + varint_size(end - label.string) - known
            if cost < labels[following - first].cost:
                position = label.position if lane is None else end + lane.segment.shift
                labels[following - first] = _Label(cost, node, label.mode, label.string, position)
                best[following] = min(best[following], cost)

    def _walk_back(self) -> tuple[list[Frame], int]:
        node = len(self._nodes) - 1
        mode = _EXTRA
        price = self._extra[node].cost
        for index in sorted(self._lanes):
            lane = self._lanes[index]
            if lane.last == node and lane.labels[node - lane.first].cost < price:
                mode = index
                price = lane.labels[node - lane.first].cost
        if price >= NEVER:
            raise no_way()
        frames: list[Frame] = []
        while node > 0:
            if mode == _EXTRA:
                label, shift = self._extra[node], None
            else:
                lane = self._lanes[mode]
                label, shift = lane.labels[node - lane.first], lane.segment.shift
            frames.append(Frame(self._nodes[label.origin], self._nodes[node], shift))
            node, mode = label.origin, label.mode
        frames.reverse()
        return frames, price + 1
