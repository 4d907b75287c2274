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

    They go to the plan as they are. Of most symbols, the search finds the place by itself; it
    cannot find tables whose addresses all moved, nor short functions that were compiled anew.
    Symbols that share a name are paired in the order of their places. The segments do not overlap:
    symbols that do cannot make the plan slow.
    """
    if hints is None:
        return []
    places = {key: symbol.offset for key, symbol in _numbered(hints.old)}
    segments: list[Segment] = []
    done = 0
    for key, symbol in _numbered(hints.new):
        if symbol.offset < done or key not in places:
            continue
        shift = places[key] - symbol.offset
        end = min(symbol.offset + symbol.size, len(new), len(old) - shift)
        if symbol.offset < end and places[key] >= 0:
            segments.append(Segment(symbol.offset, end, shift))
            done = end
    return segments


def _numbered(symbols: Iterable[Symbol]) -> Iterator[tuple[tuple[str, int], Symbol]]:
    counts: Counter[str] = Counter()
    for symbol in sorted(symbols, key=lambda symbol: (symbol.offset, symbol.name, symbol.size)):
        yield (symbol.name, counts[symbol.name]), symbol
        counts[symbol.name] += 1
