"""The cheapest LZ4 code of a string and of its beginnings (reference of ``kernel/parser.h``)."""

from __future__ import annotations

from typing import NamedTuple

NEVER = 2**62
"""More than any cost: images have less than 2**32 bytes."""
MIN_MATCH = 4
_TAIL = 8  # So far from the end of a block, every match may have ended.
_LAST_LITERALS = 5
_MATCH_LIMIT = 12
_SHORT_MATCH = 18  # The longest match without a length byte.
_MATCHES = 4
_LONG_RUN = 64

Match = tuple[int, int]
"""How far back a match is, and its length."""


class State(NamedTuple):
    """The cheapest code of the first bytes of a frame.

    Attributes:
        cost: bytes without the token of the literals at the end.
        literals: bytes behind the last match.
        matched: cost if a match ends here.
        match_length: the length of that match; 0 without one.
    """

    cost: int
    literals: int
    matched: int
    match_length: int


START = State(0, 0, NEVER, 0)


class Matcher:
    """Finds repetitions inside one string while going through it once."""

    def __init__(self, data: bytes, window: int, depth: int) -> None:
        self._data = data
        self._window = window
        self._depth = depth
        self._restart(0)

    def _restart(self, begin: int) -> None:
        """Forget what is in front of a place."""
        self._begin = begin
        self._run = 0
        self._runs = [0]
        self._heads: dict[tuple[int, int] | bytes, int] = {}
        self._before = [-1]
        self._found: list[list[Match]] = [[]]

    def run(self, start: int, end: int) -> None:
        """Find the matches that end at ``end`` or before and begin at ``start`` or later.

        Calls come in the order of their starts.
        """
        if self._begin + len(self._found) - 1 < start:
            self._restart(start)
        data = self._data
        for at in range(self._begin + len(self._found) - 1, end):
            if at > self._begin and data[at] == data[at - 1]:
                self._run = min(self._run + 1, self._window)
            else:
                self._run = 1
            self._runs.append(self._run)
            self._before.append(-1)
            self._found.append(self._find(at + 1) if at + 1 - self._begin >= MIN_MATCH else [])

    def found(self, end: int) -> list[Match]:
        """Return the matches that end at a place; offsets rise, and so do the lengths."""
        return self._found[end - self._begin]

    def _find(self, end: int) -> list[Match]:
        data, window, run = self._data, self._window, self._run
        last = data[end - 1]
        matches = [
            (offset, min(length + 1, window))
            for offset, length in self._found[-1]
            if last == data[end - 1 - offset]
        ]
        if len(matches) > 1 and matches[-1][1] == matches[-2][1]:
            matches.pop()
        if run > MIN_MATCH:
            _insert(matches, 1, run - 1)
        if run > _LONG_RUN:  # What may be found here was found where the run began.
            return matches
        key = (last, run) if run >= MIN_MATCH else data[end - MIN_MATCH : end]
        lowest = max(end - window, self._begin)
        other = self._heads.get(key, -1)
        left = self._depth
        while other >= lowest + MIN_MATCH and left:
            left -= 1
            best = matches[-1][1] if matches else 0
            if other - 1 - best >= lowest and (
                not best or data[end - 1 - best] == data[other - 1 - best]
            ):
                length = max(run, MIN_MATCH)
                while (
                    length < window
                    and other - 1 - length >= lowest
                    and data[end - 1 - length] == data[other - 1 - length]
                ):
                    length += 1
                _insert(matches, end - other, length)
            other = self._before[other - self._begin]
        self._before[-1] = self._heads.get(key, -1)
        self._heads[key] = end
        return matches


def _insert(matches: list[Match], offset: int, length: int) -> None:
    """Take a match into the list, unless a nearer one is as long."""
    at = 0
    while at < len(matches) and matches[at][0] <= offset:
        if matches[at][1] >= length:
            return
        at += 1
    end = at
    while end < len(matches) and matches[end][1] <= length:
        end += 1
    matches[at:end] = [(offset, length)]
    if len(matches) > _MATCHES:  # The nearest and the longest are worth most.
        del matches[1]


def extension(count: int) -> int:
    """Return how many length bytes follow the token for so many literals."""
    return 0 if count < 15 else 1 + (count - 15) // 255


def next_state(states: list[State], matches: list[Match]) -> State:
    """Return the state one byte further, where ``matches`` end."""
    at = len(states)
    cost, literals, _, _ = states[-1]
    cost += 1
    literals += 1
    if literals >= 15 and (literals - 15) % 255 == 0:
        cost += 1
    matched = NEVER
    match_length = 0
    for offset, longest in matches:
        length = min(longest, at - offset)
        if length < MIN_MATCH:
            continue
        price = states[at - length].cost + 3
        if length > _SHORT_MATCH:
            price += 1 + (length - _SHORT_MATCH - 1) // 255
            short = states[at - _SHORT_MATCH].cost + 3
            if short < matched:
                matched, match_length = short, _SHORT_MATCH
        if price < matched or (price == matched and length > match_length):
            matched, match_length = price, length
    if matched <= cost:
        return State(matched, 0, matched, match_length)
    return State(cost, literals, matched, match_length)


def block_end(states: list[State], at: int) -> tuple[int, int]:
    """Return the size of a block that ends at ``at``, and where its last match may end.

    The format wants literals at the end of a block (delta-patch, section 2).
    """
    if at <= _MATCH_LIMIT:
        return 1 + at, 0
    state = states[at - _TAIL]
    best = state.cost + _TAIL + extension(state.literals + _TAIL) - extension(state.literals)
    end = at - _TAIL
    for tail in range(_LAST_LITERALS, _TAIL):
        state = states[at - tail]
        if state.match_length >= _MATCH_LIMIT - tail and state.matched + tail < best:
            best, end = state.matched + tail, at - tail
    return 1 + best, end


def block(data: bytes, depth: int) -> bytes:
    """Return ``data`` as an LZ4 block (reference of ``kernel/block.c``)."""
    matcher = Matcher(data, len(data), depth)
    matcher.run(0, len(data))
    states = [START]
    for end in range(1, len(data) + 1):
        states.append(next_state(states, matcher.found(end)))
    written = bytearray()
    at = 0
    for end, length in reversed(_chosen(states, len(data))):
        offset = next(
            offset
            for offset, longest in matcher.found(end)
            if longest >= length and end - offset >= length
        )
        more = length - MIN_MATCH
        written += _literals(data[at : end - length], min(more, 15))
        written += offset.to_bytes(2, "little")
        if more >= 15:
            written += _length(more)
        at = end
    return bytes(written + _literals(data[at:], 0))


def _chosen(states: list[State], size: int) -> list[tuple[int, int]]:
    """Return end and length of the matches, the last one first."""
    _, at = block_end(states, size)
    chosen: list[tuple[int, int]] = []
    if at > max(0, size - _TAIL):
        chosen.append((at, states[at].match_length))
        at -= states[at].match_length
    at -= states[at].literals
    while at > 0:
        chosen.append((at, states[at].match_length))
        at -= states[at].match_length
        at -= states[at].literals
    return chosen


def _literals(data: bytes, match_nibble: int) -> bytes:
    token = bytes([min(len(data), 15) << 4 | match_nibble])
    return token + (_length(len(data)) if len(data) >= 15 else b"") + data


def _length(length: int) -> bytes:
    full, rest = divmod(length - 15, 255)
    return b"\xff" * full + bytes([rest])
