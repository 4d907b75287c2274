"""The explanation of a patch: its largest contributors, and what other block sizes would do."""

from __future__ import annotations

import bisect
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fotabuild.explain.block_sizes import BlockChoice
from fotabuild.explain.costs import Cause, Cost, read_costs
from fotabuild.explain.ranges import Range, equal_ranges, section_ranges, symbol_ranges
from fotabuild.formats.elf_symbols import ElfMap
from fotabuild.formats.patch_stream import HEADER_SIZE

_COLUMNS = 150


@dataclass(frozen=True)
class Share:
    """What a part of the new image costs.

    Attributes:
        name: section, symbol, or offset.
        offset: first byte in the new image.
        size: bytes in the new image.
        costs: bytes of the patch by cause; fractions, as frames reach over several parts.
        note: how it differs from the old image: "new", or by how many bytes it grew.
    """

    name: str
    offset: int
    size: int
    costs: Mapping[Cause, float]
    note: str = ""

    @property
    def total(self) -> float:
        """Bytes of the patch."""
        return sum(self.costs.values())


@dataclass(frozen=True)
class Explanation:
    """What a patch is made of.

    Attributes:
        patch_size: bytes of the patch, the header included.
        image_size: bytes of the new image.
        block_size: its block size.
        whole: the whole image.
        sections: by place; empty without an ELF file.
        parts: symbols, or pieces of equal size without an ELF file; the largest cost first.
        columns: the image cut into as many equal pieces as the picture has columns.
        choices: what other block sizes would do, this one among them.
    """

    patch_size: int
    image_size: int
    block_size: int
    whole: Share
    sections: tuple[Share, ...]
    parts: tuple[Share, ...]
    columns: tuple[Share, ...]
    choices: tuple[BlockChoice, ...]

    def to_values(self) -> dict[str, Any]:
        """Return everything as JSON-like values, costs rounded to a tenth of a byte."""
        return {
            "patch-size": self.patch_size,
            "image-size": self.image_size,
            "block-size": self.block_size,
            "header": HEADER_SIZE,
            "costs": _values(self.whole)["costs"],
            "sections": [_values(share) for share in self.sections],
            "parts": [_values(share) for share in self.parts],
            "block-sizes": [
                {
                    "block-size": choice.block_size,
                    "patch-size": choice.patch_size,
                    "device-memory": choice.device_memory,
                }
                for choice in self.choices
            ],
        }


def explain(
    patch: bytes,
    image_size: int,
    block_size: int,
    *,
    new_map: ElfMap | None = None,
    old_map: ElfMap | None = None,
    choices: Sequence[BlockChoice] = (),
) -> Explanation:
    """Explain a patch.

    Args:
        patch: a valid patch.
        image_size: size in bytes of the new image.
        block_size: block size of the patch.
        new_map: sections and symbols of the new image.
        old_map: those of the old image, to tell what is new and what grew.
        choices: what other block sizes would do.
    """
    costs = list(read_costs(patch))
    (whole,) = _shares([Range("", 0, image_size)], costs)
    sections: list[Share] = []
    pieces = equal_ranges(image_size)
    if new_map is not None:
        sections = _shares(section_ranges(image_size, new_map), costs)
        pieces = symbol_ranges(image_size, new_map)
    parts = sorted(_shares(pieces, costs, _notes(new_map, old_map)), key=lambda s: -s.total)
    width = max(1, -(-image_size // _COLUMNS))
    return Explanation(
        len(patch),
        image_size,
        block_size,
        whole,
        tuple(sections),
        tuple(parts),
        tuple(_shares(equal_ranges(image_size, width), costs)),
        tuple(choices),
    )


def _shares(
    ranges: Sequence[Range], costs: Iterable[Cost], notes: Mapping[str, str] | None = None
) -> list[Share]:
    """Distribute the costs; each spreads evenly over the bytes it is for."""
    starts = [item.start for item in ranges]
    spent: list[dict[Cause, float]] = [dict.fromkeys(Cause, 0.0) for _ in ranges]
    for cost in costs:
        index = bisect.bisect_right(starts, cost.start) - 1
        at, end = cost.start, cost.start + cost.length
        while at < end:
            upto = min(end, ranges[index].end)
            spent[index][cost.cause] += cost.size * (upto - at) / cost.length
            at = upto
            index += 1
    shares: dict[object, Share] = {}
    for item, values in zip(ranges, spent, strict=True):
        key = item.owner or item.name
        size = item.end - item.start
        if key in shares:
            known = shares[key]
            values = {cause: known.costs[cause] + values[cause] for cause in Cause}
            shares[key] = Share(item.name, known.offset, known.size + size, values, known.note)
        else:
            note = (notes or {}).get(item.name, "") if item.owner else ""
            shares[key] = Share(item.name, item.start, size, values, note)
    return list(shares.values())


def _notes(new: ElfMap | None, old: ElfMap | None) -> dict[str, str]:
    """Return how symbols differ from those of the same name in the old image."""
    if new is None or old is None:
        return {}
    before: dict[str, set[int]] = {}
    for symbol in old.symbols:
        before.setdefault(symbol.name, set()).add(symbol.size)
    notes: dict[str, str] = {}
    for symbol in new.symbols:
        sizes = before.get(symbol.name)
        if sizes is None:
            notes[symbol.name] = "new"
        elif len(sizes) == 1 and symbol.size not in sizes:
            notes[symbol.name] = f"{symbol.size - min(sizes):+d} bytes"
    return notes


def _values(share: Share) -> dict[str, Any]:
    values: dict[str, Any] = {"name": share.name, "offset": share.offset, "size": share.size}
    values["cost"] = round(share.total, 1)
    values["costs"] = {cause.value: round(cost, 1) for cause, cost in share.costs.items()}
    if share.note:
        values["note"] = share.note
    return values
