"""Where the sections and symbols of a linked ELF file are in its flat image."""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from fotabuild.errors import ElfError
from fotabuild.formats.elf_image import flatten
from fotabuild.limits import READ_LIMITS

if TYPE_CHECKING:
    from elftools.elf.elffile import ELFFile

_SHF_ALLOC = 2
_EM_ARM = "EM_ARM"
_NO_TYPE, _OBJECT, _FUNCTION = 0, 1, 2
_LONGEST_NAME = 1000
_CHUNK = 256


@dataclass(frozen=True)
class ElfRange:
    """A section or a symbol: its name, first byte in the flat image, and size in bytes."""

    name: str
    offset: int
    size: int


@dataclass(frozen=True)
class ElfMap:
    """What is where in a flat image.

    Attributes:
        content: the image, as the file alone gives it.
        sections: loaded sections, by offset.
        symbols: functions and objects that have a size, by offset; of several names for one range
            the global one stays.
    """

    content: bytes
    sections: tuple[ElfRange, ...]
    symbols: tuple[ElfRange, ...]

    def check_image(self, image: bytes) -> None:
        """Refuse an image that was not made from this file.

        Checksums and keys that a build writes into the finished image are no reason.

        Raises:
            ElfError: less than nine tenths of the image agree.
        """
        starts = range(0, len(self.content), _CHUNK)
        equal = sum(
            self.content[start : start + _CHUNK] == image[start : start + _CHUNK]
            for start in starts
        )
        if 10 * equal < 9 * len(starts):
            raise ElfError(
                f"the image is not that of this file: {equal} of {len(starts)} pieces of {_CHUNK} "
                "bytes agree",
                remedy="give the ELF file that the image was made from",
            )


def read_map(elf: bytes) -> ElfMap:
    """Read the sections and symbols of a linked file.

    Raises:
        ElfError: damaged, not linked, or with more symbols than :data:`READ_LIMITS` allows.
    """
    from elftools.common.exceptions import ELFError
    from elftools.elf.elffile import ELFFile

    image = flatten(elf)
    try:
        file = ELFFile(io.BytesIO(elf))
        sections = dict(_sections(file, image.address, len(image.content)))
        symbols = sorted(
            set(_symbols(file, elf, sections)), key=lambda found: (found[0], -found[1], found[2:])
        )
    except (ELFError, ValueError, KeyError, IndexError, struct.error, OverflowError) as error:
        raise ElfError(f"the sections or symbols are damaged: {error}") from None
    unique: dict[tuple[int, int], ElfRange] = {}
    for offset, size, _, name in symbols:
        unique.setdefault((offset, size), ElfRange(name, offset, size))
    return ElfMap(
        image.content,
        tuple(sorted((found for found, _ in sections.values()), key=lambda item: item.offset)),
        tuple(unique.values()),
    )


def _sections(file: ELFFile, base: int, size: int) -> Iterator[tuple[int, tuple[ElfRange, int]]]:
    """Yield index, place and run address of each section that the image holds."""
    if file.num_sections() > READ_LIMITS.elf_sections:
        raise ElfError(f"{file.num_sections()} sections")
    loads = [part for part in file.iter_segments() if part["p_type"] == "PT_LOAD"]
    for index, section in enumerate(file.iter_sections()):
        if not section["sh_flags"] & _SHF_ALLOC or section["sh_type"] in ("SHT_NOBITS", "SHT_NULL"):
            continue
        start, length = section["sh_offset"], section["sh_size"]
        for load in loads:
            if load["p_offset"] <= start < load["p_offset"] + load["p_filesz"]:
                offset = load["p_paddr"] + start - load["p_offset"] - base
                if length and 0 <= offset <= size - length:
                    name = section.name[:_LONGEST_NAME]
                    yield index, (ElfRange(name, offset, length), section["sh_addr"])
                break


def _symbols(
    file: ELFFile, elf: bytes, sections: dict[int, tuple[ElfRange, int]]
) -> Iterator[tuple[int, int, int, str]]:
    """Yield offset, size, rank (global symbols first) and name of every symbol in the sections."""
    table = next((s for s in file.iter_sections() if s["sh_type"] == "SHT_SYMTAB"), None)
    if table is None:
        return
    entry = struct.Struct(
        (">", "<")[file.little_endian] + ("IIIBBH", "IBBHQQ")[file.elfclass == 64]
    )
    count = table["sh_size"] // entry.size
    if count > READ_LIMITS.elf_symbols:
        raise ElfError(f"{count} symbols", remedy="strip the debugging symbols of the file")
    strings = file.get_section(table["sh_link"])
    names = elf[strings["sh_offset"] : strings["sh_offset"] + strings["sh_size"]]
    for index in range(count):
        values = entry.unpack_from(elf, table["sh_offset"] + index * entry.size)
        if file.elfclass == 64:
            name, info, _, home, value, size = values
        else:
            name, value, size, info, _, home = values
        kind, binding = info & 15, info >> 4
        if size == 0 or home not in sections or kind not in (_NO_TYPE, _OBJECT, _FUNCTION):
            continue
        section, address = sections[home]
        if kind == _FUNCTION and file["e_machine"] == _EM_ARM:
            value &= ~1  # The lowest bit says Thumb.
        if address <= value and value + size <= address + section.size:
            end = names.find(b"\0", name, name + _LONGEST_NAME)
            text = names[name : end if end >= 0 else name + _LONGEST_NAME]
            if text:
                yield (
                    section.offset + value - address,
                    size,
                    int(binding == 0),
                    text.decode("utf-8", "backslashreplace"),
                )
