"""Pairs of images made to be awkward: long padding, one repeated byte, nothing that repeats."""

from __future__ import annotations

import random
from pathlib import Path

from corpus import MARKER, Pair

_MEGABYTE = 1 << 20


def make_pairs(folder: Path) -> list[Pair]:
    """Write the pairs into ``folder``, the same bytes in every run."""
    noise = random.Random(7).randbytes(_MEGABYTE)  # noqa: S311 - test data
    program = _program(1_700_000)
    images = {
        "padded-4m": (_padded(program, 0), _padded(_update(program), 512)),
        "zeros-256k": _odd_bytes(bytes(_MEGABYTE // 4)),
        "alternating-256k": _odd_bytes(b"\x55\xaa" * (_MEGABYTE // 8)),
        "random-1m": _odd_bytes(noise),
    }
    pairs = []
    for name, (old, new) in images.items():
        pair = Pair(name, folder / name / "old.bin", folder / name / "new.bin")
        pair.old.parent.mkdir(parents=True, exist_ok=True)
        pair.old.write_bytes(old + MARKER)
        pair.new.write_bytes(new + MARKER)
        pairs.append(pair)
    return pairs


def _program(size: int) -> bytes:
    """Return bytes with the statistics of machine code: few words are frequent, many are rare."""
    choose = random.Random(11)  # noqa: S311 - test data
    words = [choose.randbytes(4) for _ in range(40_000)]
    picks = (int(len(words) * choose.random() ** 3) for _ in range(size // 4))
    return b"".join(words[pick] for pick in picks)


def _update(program: bytes) -> bytes:
    """Insert, remove and change pieces all over the program."""
    choose = random.Random(13)  # noqa: S311 - test data
    pieces, at = [], 0
    while at < len(program):
        length = choose.randrange(2_000, 20_000)
        piece = bytearray(program[at : at + length])
        for _ in range(8):
            piece[choose.randrange(len(piece))] ^= 4
        pieces += [bytes(piece), choose.randbytes(choose.randrange(0, 200, 4))]
        at += length + choose.randrange(0, 100, 4)
    return b"".join(pieces)


def _padded(program: bytes, shift: int) -> bytes:
    """Return a dump of a whole flash: two thirds are erased, with settings far behind the program.

    Such an island in the padding makes a search that looks at every byte slow beyond measure.
    """
    dump = bytearray(program.ljust(4 * _MEGABYTE, b"\xff"))
    start = len(dump) - _MEGABYTE // 4 - shift
    dump[start : start + 64] = random.Random(5).randbytes(64)  # noqa: S311 - test data
    return bytes(dump)


def _odd_bytes(image: bytes) -> tuple[bytes, bytes]:
    """Return the image twice, with another byte changed in each."""
    one, two = bytearray(image), bytearray(image)
    one[len(image) // 3] ^= 0x5A
    two[len(image) // 2] ^= 0x5A
    return bytes(one), bytes(two)
