"""Damage done to good files, as hypothesis strategies."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import strategies as st

_INTERESTING = (0x00, 0x01, 0x7F, 0x80, 0x81, 0x84, 0xFF)
_LONGEST_PIECE = 64
_LARGEST = 64 * 1024


def _flip(blob: bytearray, draw: st.DrawFn, _: Sequence[bytes]) -> None:
    blob[_position(blob, draw)] ^= 1 << draw(st.integers(0, 7))


def _replace(blob: bytearray, draw: st.DrawFn, _: Sequence[bytes]) -> None:
    byte = st.one_of(st.sampled_from(_INTERESTING), st.integers(0, 255))
    blob[_position(blob, draw)] = draw(byte)


def _cut(blob: bytearray, draw: st.DrawFn, _: Sequence[bytes]) -> None:
    del blob[_position(blob, draw) :]


def _delete(blob: bytearray, draw: st.DrawFn, _: Sequence[bytes]) -> None:
    start = _position(blob, draw)
    del blob[start : start + draw(st.integers(1, _LONGEST_PIECE))]


def _insert(blob: bytearray, draw: st.DrawFn, tokens: Sequence[bytes]) -> None:
    pieces: list[st.SearchStrategy[bytes]] = [st.binary(min_size=1, max_size=_LONGEST_PIECE)]
    if tokens:
        pieces.append(st.sampled_from(tokens))
    start = _position(blob, draw)
    blob[start:start] = draw(st.one_of(pieces))


def _duplicate(blob: bytearray, draw: st.DrawFn, _: Sequence[bytes]) -> None:
    start = _position(blob, draw)
    piece = blob[start : start + draw(st.sampled_from((1, 8, 64, 512)))]
    where = _position(blob, draw)
    blob[where:where] = piece * draw(st.sampled_from((1, 2, 100)))


def _zero(blob: bytearray, draw: st.DrawFn, _: Sequence[bytes]) -> None:
    start = _position(blob, draw)
    end = min(len(blob), start + draw(st.integers(1, 16)))
    blob[start:end] = bytes(end - start)


_WAYS = (_flip, _replace, _cut, _delete, _insert, _duplicate, _zero)


@st.composite
def damaged(draw: st.DrawFn, seeds: Sequence[bytes], tokens: Sequence[bytes] = ()) -> bytes:
    """Return a good file after up to six damages, or bytes without any order.

    Args:
        seeds: good files.
        tokens: pieces that mean something in this format.
    """
    if draw(st.integers(0, 19)) == 0:
        return draw(st.binary(max_size=600))
    blob = bytearray(draw(st.sampled_from(seeds)))
    for _ in range(draw(st.integers(1, 6))):
        if blob:
            draw(st.sampled_from(_WAYS))(blob, draw, tokens)
    return bytes(blob[:_LARGEST])


def _position(blob: bytearray, draw: st.DrawFn) -> int:
    """Choose a place; the first hundred bytes, where headers are, as often as all others."""
    last = len(blob) - 1
    return draw(st.one_of(st.integers(0, min(last, 100)), st.integers(0, last)))
