"""Linked ELF files with sections and symbols, made by hand in every word size and byte order."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass

OBJECT, FUNCTION, SECTION = 1, 2, 3
LOCAL, GLOBAL = 0, 1
LAYOUTS = [(32, "<"), (32, ">"), (64, "<"), (64, ">")]
ARM, X86_64 = 40, 62


@dataclass(frozen=True)
class Part:
    """A section with its bytes; ``load`` is where it is stored if not where it runs."""

    name: str
    address: int
    content: bytes
    load: int | None = None


@dataclass(frozen=True)
class Sym:
    """A symbol in a section, which is counted from 1."""

    name: str
    value: int
    size: int
    section: int = 1
    kind: int = FUNCTION
    binding: int = GLOBAL


def make_linked(
    parts: Sequence[Part],
    symbols: Sequence[Sym],
    bits: int = 32,
    endian: str = "<",
    machine: int = ARM,
) -> bytes:
    """An ELF file with a segment for each section, a symbol table and its strings."""
    header, program, section = (52, 32, 40) if bits == 32 else (64, 56, 64)
    body_at = header + program * len(parts)
    body = b"".join(part.content for part in parts)
    names, strings = b"\0", b"\0"
    table = b"\0" * (16 if bits == 32 else 24)
    for symbol in symbols:
        info = symbol.binding << 4 | symbol.kind
        at = len(strings)
        strings += symbol.name.encode() + b"\0"
        if bits == 32:
            values = (at, symbol.value, symbol.size, info, 0, symbol.section)
            table += struct.pack(endian + "IIIBBH", *values)
        else:
            big = (at, info, 0, symbol.section, symbol.value, symbol.size)
            table += struct.pack(endian + "IBBHQQ", *big)
    entries = [bytes(section)]
    programs = b""
    at = body_at
    for part in parts:
        size, load = len(part.content), part.address if part.load is None else part.load
        places = (at, part.address, load, size, size)
        if bits == 32:
            programs += struct.pack(endian + "8I", 1, *places, 5, 1)
        else:
            programs += struct.pack(endian + "2I6Q", 1, 5, *places, 1)
        fields = (len(names), 1, 2, part.address, at, size, 0, 0, 1, 0)
        entries.append(_section(bits, endian, *fields))
        names += part.name.encode() + b"\0"
        at += size
    strings_index, names_index = len(parts) + 2, len(parts) + 3
    for name, kind, data, link in (
        (".symtab", 2, table, strings_index),
        (".strtab", 3, strings, 0),
    ):
        entry = (16 if bits == 32 else 24) if kind == 2 else 0
        entries.append(
            _section(bits, endian, len(names), kind, 0, 0, at, len(data), link, 0, 1, entry)
        )
        names += name.encode() + b"\0"
        at += len(data)
    own = len(names)
    names += b".shstrtab\0"
    entries.append(_section(bits, endian, own, 3, 0, 0, at, len(names), 0, 0, 1, 0))
    at += len(names)
    word = "I" if bits == 32 else "Q"
    ident = b"\x7fELF" + bytes([bits // 32, 1 if endian == "<" else 2, 1]) + bytes(9)
    head = struct.pack(f"{endian}HHI3{word}I", 2, machine, 1, 0, header, at, 0)
    head += struct.pack(
        endian + "6H", header, program, len(parts), section, len(entries), names_index
    )
    return b"".join([ident, head, programs, body, table, strings, names, *entries])


def _section(bits: int, endian: str, *fields: int) -> bytes:
    return struct.pack(endian + ("10I" if bits == 32 else "2I4Q2I2Q"), *fields)
