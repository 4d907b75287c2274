"""What the build knows about its images beyond their bytes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fotabuild.delta.segments import Segment


@dataclass(frozen=True)
class Symbol:
    """A function or an object of an image.

    Attributes:
        name: the linker's name; several local symbols may share one.
        offset: first byte, counted from the beginning of the image.
        size: bytes.
    """

    name: str
    offset: int
    size: int


@dataclass(frozen=True)
class ImageHints:
    """Symbols of both images. They may be wrong: a patch is checked whatever they say.

    Attributes:
        old: symbols of the old image.
        new: symbols of the new image.
    """

    old: tuple[Symbol, ...]
    new: tuple[Symbol, ...]


def hinted_segments(hints: ImageHints | None, old: bytes, new: bytes) -> list[Segment]:
    """Return where symbols of the same name say that the images resemble each other.

    Symbols that share a name are paired in the order of their places.
    """
    if hints is None:
        return []
    places: dict[tuple[str, int], int] = {}
    for key, symbol in _numbered(hints.old):
        places[key] = symbol.offset
    segments = {
        Segment(symbol.offset, symbol.offset + symbol.size, places[key] - symbol.offset)
        for key, symbol in _numbered(hints.new)
        if key in places and 0 <= symbol.offset < len(new) - 1 and 0 <= places[key] < len(old)
    }
    return sorted(segments)


def _numbered(symbols: Iterable[Symbol]) -> Iterator[tuple[tuple[str, int], Symbol]]:
    counts: Counter[str] = Counter()
    for symbol in sorted(symbols, key=lambda symbol: (symbol.offset, symbol.name, symbol.size)):
        yield (symbol.name, counts[symbol.name]), symbol
        counts[symbol.name] += 1
