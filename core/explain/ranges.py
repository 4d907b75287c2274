"""Cut an image into named ranges: sections, symbols, or pieces of equal size."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from fotabuild.formats.elf_symbols import ElfMap, ElfRange

_PIECE = 4096
_OUTSIDE = "(in no section)"


@dataclass(frozen=True)
class Range:
    """Bytes of an image.

    Attributes:
        name: what people call them.
        start: first byte.
        end: byte behind the last one.
        owner: the section or symbol that they are of, whose other bytes may be in other ranges;
            None for what no symbol holds: such ranges of one name are one thing.
    """

    name: str
    start: int
    end: int
    owner: ElfRange | None = None


def section_ranges(image_size: int, found: ElfMap) -> list[Range]:
    """Return the sections, and what no section holds."""
    return list(_flat(image_size, map(_named, found.sections)))


def symbol_ranges(image_size: int, found: ElfMap) -> list[Range]:
    """Return the symbols, and by section what has no symbol."""
    sections = (
        Range(f"({section.name}, no symbol)", section.offset, section.offset + section.size)
        for section in found.sections
    )
    return list(_flat(image_size, sections, map(_named, found.symbols)))


def equal_ranges(image_size: int, size: int = _PIECE) -> list[Range]:
    """Return pieces of ``size`` bytes, named by their offsets."""
    starts = range(0, image_size, size)
    return [Range(f"{start:#x}", start, min(start + size, image_size)) for start in starts]


def _named(item: ElfRange) -> Range:
    return Range(item.name, item.offset, item.offset + item.size, item)


def _flat(
    image_size: int, sections: Iterable[Range], symbols: Iterable[Range] = ()
) -> Iterator[Range]:
    """Yield the whole image as ranges that do not overlap, in one sweep.

    A byte belongs to what began last and goes on there, so what lies inside another is cut out of
    it. A symbol ends with the section in which it begins.
    """
    items = [(item, False) for item in sections] + [(item, True) for item in symbols]
    # Of what begins at one place, sections come before symbols, and the longest comes first.
    items.sort(key=lambda item: (item[0].start, item[1], -item[0].end))
    # What goes on, the innermost last: each with its end and that of its section.
    going = [(Range(_OUTSIDE, 0, image_size), image_size, image_size)]
    at = 0
    for item, is_symbol in items:
        if item.start >= image_size:
            break
        yield from _ended(going, at, item.start)
        at = item.start
        _, _, of_section = going[-1]
        end = min(item.end, of_section if is_symbol else image_size)
        if at < end:
            going.append((item, end, of_section if is_symbol else end))
    yield from _ended(going, at, image_size)


def _ended(going: list[tuple[Range, int, int]], at: int, upto: int) -> Iterator[Range]:
    """Yield what goes on from ``at`` to ``upto``, and drop what ended by then."""
    while True:
        item, end, _ = going[-1]
        if at < min(end, upto):
            yield Range(item.name, at, min(end, upto), item.owner)
            at = min(end, upto)
        if end > upto or len(going) == 1:
            return
        going.pop()
