"""Cut an image into named ranges: sections, symbols, or pieces of equal size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fotabuild.formats.elf_symbols import ElfMap, ElfRange

_PIECE = 4096


@dataclass(frozen=True)
class Range:
    """Bytes of an image.

    Attributes:
        name: what people call them.
        start: first byte.
        end: byte behind the last one.
        gap: whether this is what lies between named ranges; gaps of one name are one thing.
    """

    name: str
    start: int
    end: int
    gap: bool = False


def section_ranges(image_size: int, found: ElfMap) -> list[Range]:
    """Return the sections, and what no section holds."""
    return list(_with_gaps(_flat(found.sections, image_size), image_size, "(in no section)"))


def symbol_ranges(image_size: int, found: ElfMap) -> list[Range]:
    """Return the symbols, and by section what has no symbol."""
    symbols = _flat(found.symbols, image_size)
    ranges: list[Range] = []
    for section in section_ranges(image_size, found):
        inside = [item for item in symbols if section.start <= item.start < section.end]
        name = section.name if section.gap else f"({section.name}, no symbol)"
        ranges += _with_gaps(inside, section.end, name, section.start)
    return ranges


def equal_ranges(image_size: int, size: int = _PIECE) -> list[Range]:
    """Return pieces of ``size`` bytes, named by their offsets."""
    starts = range(0, image_size, size)
    return [Range(f"{start:#x}", start, min(start + size, image_size)) for start in starts]


def _flat(items: Iterable[ElfRange], image_size: int) -> list[Range]:
    """Return ranges that do not overlap: what begins inside another ends it."""
    ranges: list[Range] = []
    for item in sorted(items, key=lambda item: (item.offset, -item.size)):
        end = min(item.offset + item.size, image_size)
        if ranges and item.offset < ranges[-1].end:
            last = ranges.pop()
            if last.start < item.offset:
                ranges.append(Range(last.name, last.start, item.offset))
        if item.offset < end:
            ranges.append(Range(item.name, item.offset, end))
    return ranges


def _with_gaps(ranges: Iterable[Range], end: int, name: str, start: int = 0) -> Iterator[Range]:
    at = start
    for item in ranges:
        if at < item.start:
            yield Range(name, at, item.start, gap=True)
        yield item
        at = item.end
    if at < end:
        yield Range(name, at, end, gap=True)
