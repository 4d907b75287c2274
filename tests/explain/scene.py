"""Two linked images with known differences."""

from __future__ import annotations

from ..delta.images import noise
from ..formats.elf_linked_files import FUNCTION, OBJECT, Part, Sym, make_linked

MARKER = b"PELION/BSDIFF001"
_STARTUP, _MAIN, _TABLE = noise(700, 1), noise(900, 2), noise(3000, 3)
_ADDED = noise(400, 4)

OLD_CODE = _STARTUP + _MAIN + b"pad."
OLD = OLD_CODE + _TABLE + MARKER
# main loses its last 100 bytes, "added" is new, the table stays.
NEW_CODE = _STARTUP + _MAIN[:800] + _ADDED + b"pad."
NEW = NEW_CODE + _TABLE + MARKER


def _linked(code: bytes, symbols: list[Sym]) -> bytes:
    table_at = len(code)
    constants = Part(".rodata", table_at, _TABLE + MARKER)
    table = Sym('table<>&"', table_at, len(_TABLE), 2, OBJECT)
    return make_linked([Part(".text", 0, code), constants], [*symbols, table])


OLD_ELF = _linked(OLD_CODE, [Sym("startup", 1, 700), Sym("main", 701, 900)])
NEW_ELF = _linked(
    NEW_CODE,
    [Sym("startup", 1, 700), Sym("main", 701, 800), Sym("added", 1501, 400, kind=FUNCTION)],
)
