"""From a linked ELF file to the flat image that devices install (build-systems, rule 11)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from fotabuild.errors import ElfError
from fotabuild.limits import READ_LIMITS

MAGIC = b"\x7fELF"
_PT_LOAD = 1
_SHT_NULL = 0
_SHT_NOBITS = 8
_SHF_ALLOC = 2
_HEADER_SIZE = {1: 52, 2: 64}
_PROGRAM_HEADER_SIZE = {1: 32, 2: 56}


@dataclass(frozen=True)
class Segment:
    """A loadable segment: its physical address and its bytes in the file."""

    address: int
    content: bytes


@dataclass(frozen=True)
class FlatImage:
    """A flat image.

    Attributes:
        address: physical address of the first byte.
        content: the bytes, holes filled.
    """

    address: int
    content: bytes


def flatten(elf: bytes, fill: int = 0x00) -> FlatImage:
    """Lay out the loadable segments by physical address.

    Args:
        elf: the linked file, 32 or 64 bit, little or big endian.
        fill: byte for holes between segments; 0 as objcopy does.

    Raises:
        ElfError: malformed, nothing to load, overlapping segments, or a hole so large that the
            file surely mixes two memories.
    """
    segments = sorted(read_segments(elf), key=lambda segment: segment.address)
    if not segments:
        raise ElfError("the ELF file has no loadable bytes", remedy="give the linked firmware")
    content = bytearray()
    base = segments[0].address
    for segment in segments:
        gap = segment.address - base - len(content)
        if gap < 0:
            raise ElfError(f"two segments overlap at address {segment.address:#x}")
        if gap > READ_LIMITS.elf_gap or len(content) + gap > READ_LIMITS.image:
            raise ElfError(
                f"a hole of {gap} bytes lies before address {segment.address:#x}",
                remedy="remove sections of other memories from the image, or give a binary image",
            )
        content += bytes([fill]) * gap
        content += segment.content
    return FlatImage(base, bytes(content))


def read_segments(elf: bytes) -> list[Segment]:
    """Return the loadable segments that have bytes in the file, in file order.

    Raises:
        ElfError: not an ELF file, or one that is cut off.
    """
    if elf[:4] != MAGIC or len(elf) < 16:
        raise ElfError("this is not an ELF file", offset=0)
    bits, endian = elf[4], {1: "<", 2: ">"}.get(elf[5])
    if bits not in _HEADER_SIZE or endian is None or len(elf) < _HEADER_SIZE[bits]:
        raise ElfError("the ELF header is damaged", offset=4)
    word = "I" if bits == 1 else "Q"
    table, entry_size, count = _program_header_table(elf, bits, endian)
    if entry_size != _PROGRAM_HEADER_SIZE[bits] or count > READ_LIMITS.elf_segments:
        raise ElfError(f"{count} program headers of {entry_size} bytes", offset=42)
    segments = []
    sections = _loaded_sections(elf, bits, endian)
    total = 0
    for index in range(count):
        offset = table + index * entry_size
        if offset + entry_size > len(elf):
            raise ElfError("the program headers are cut off", offset=offset)
        if struct.unpack_from(endian + "I", elf, offset)[0] != _PT_LOAD:
            continue
        # p_offset, p_vaddr, p_paddr, p_filesz follow the type (and, in 64 bit, the flags).
        start, _, address, size = struct.unpack_from(
            endian + 4 * word, elf, offset + (4 if bits == 1 else 8)
        )
        if size == 0:
            continue
        if start + size > len(elf):
            raise ElfError(f"segment {index} reaches beyond the end of the file", offset=offset)
        # Segments may share bytes of the file: together they can be far larger than it.
        total += size
        if total > READ_LIMITS.image:
            raise ElfError(f"the segments have more than {READ_LIMITS.image} bytes", offset=offset)
        segments.append(_trim(elf, start, size, address, sections))
    return [segment for segment in segments if segment.content]


def _trim(
    elf: bytes, start: int, size: int, address: int, sections: list[tuple[int, int]] | None
) -> Segment:
    """Return a segment without what the linker put around its sections.

    GNU ld lets the first segment begin with the ELF header when the firmware is not linked to a
    page's begin, as behind a bootloader; no device expects that header.
    """
    if sections is None:
        if start < _HEADER_SIZE[1]:
            raise ElfError(
                "the first segment holds the ELF header, and no section tells how much of it",
                remedy="link with -n (no page alignment), or do not strip the section table",
            )
        return Segment(address, elf[start : start + size])
    inside = [(low, high) for low, high in sections if start <= low and high <= start + size]
    if not inside:
        return Segment(address, b"")
    low, high = min(low for low, _ in inside), max(high for _, high in inside)
    return Segment(address + low - start, elf[low:high])


def _loaded_sections(elf: bytes, bits: int, endian: str) -> list[tuple[int, int]] | None:
    """Return begin and end in the file of every section that is loaded; None without a table."""
    if bits == 1:
        (table,) = struct.unpack_from(endian + "I", elf, 32)
        entry_size, count = struct.unpack_from(endian + "HH", elf, 46)
        layout, needed = endian + "IIIIII", 40
    else:
        (table,) = struct.unpack_from(endian + "Q", elf, 40)
        entry_size, count = struct.unpack_from(endian + "HH", elf, 58)
        layout, needed = endian + "IIQQQQ", 64
    if table == 0 or count == 0:
        return None
    if entry_size != needed or table + count * entry_size > len(elf):
        raise ElfError("the section table is cut off or damaged", offset=table)
    sections = []
    for index in range(count):
        # sh_name, sh_type, sh_flags, sh_addr, sh_offset, sh_size
        _, kind, flags, _, offset, size = struct.unpack_from(
            layout, elf, table + index * entry_size
        )
        if flags & _SHF_ALLOC and kind not in (_SHT_NULL, _SHT_NOBITS) and size:
            sections.append((offset, offset + size))
    return sections


def _program_header_table(elf: bytes, bits: int, endian: str) -> tuple[int, int, int]:
    """Return offset, entry size and number of entries of the program header table."""
    if bits == 1:
        (table,) = struct.unpack_from(endian + "I", elf, 28)
        entry_size, count = struct.unpack_from(endian + "HH", elf, 42)
    else:
        (table,) = struct.unpack_from(endian + "Q", elf, 32)
        entry_size, count = struct.unpack_from(endian + "HH", elf, 54)
    return table, entry_size, count
