"""ELF files made by hand, in every word size and byte order."""

from __future__ import annotations

import struct
from dataclasses import dataclass

ARM, X86, X86_64 = 40, 3, 62
_NAMES = b"\0.seg\0.shstrtab\0"


@dataclass(frozen=True)
class Load:
    """A program header with its bytes; memory may be larger than the file."""

    physical: int
    content: bytes
    virtual: int | None = None
    kind: int = 1
    memory: int | None = None

    @property
    def run_address(self) -> int:
        return self.physical if self.virtual is None else self.virtual


def make_elf(
    bits: int, endian: str, *loads: Load, sections: bool = False, machine: int = ARM
) -> bytes:
    """An ELF file of these segments; with ``sections`` each is a section too, for objcopy."""
    header, entry, section = (52, 32, 40) if bits == 32 else (64, 56, 64)
    start = header + entry * len(loads)
    table = body = b""
    entries = [bytes(section)]
    for load in loads:
        offset, size = start + len(body), len(load.content)
        memory = size if load.memory is None else load.memory
        values = (offset, load.run_address, load.physical, size, memory)
        if bits == 32:
            table += struct.pack(endian + "8I", load.kind, *values, 5, 1)
        else:
            table += struct.pack(endian + "2I6Q", load.kind, 5, *values, 1)
        body += load.content
        # Program data, present in memory when the program runs.
        entries.append(_section(bits, endian, (1, 1, 2, load.run_address, offset, size)))
    names = start + len(body)
    entries.append(_section(bits, endian, (6, 3, 0, 0, names, len(_NAMES))))
    tail = (names + len(_NAMES), len(entries), len(entries) - 1) if sections else (0, 0, 0)
    ident = b"\x7fELF" + bytes([bits // 32, 1 if endian == "<" else 2, 1]) + bytes(9)
    word = "I" if bits == 32 else "Q"
    head = struct.pack(f"{endian}HHI3{word}I", 2, machine, 1, 0, header, tail[0], 0)
    head += struct.pack(endian + "6H", header, entry, len(loads), section, *tail[1:])
    elf = ident + head + table + body
    return elf + _NAMES + b"".join(entries) if sections else elf


def _section(bits: int, endian: str, values: tuple[int, int, int, int, int, int]) -> bytes:
    layout = "10I" if bits == 32 else "2I4Q2I2Q"
    return struct.pack(endian + layout, *values, 0, 0, 1, 0)
