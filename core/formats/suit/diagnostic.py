"""CBOR diagnostic notation (RFC 8949, section 8; RFC 8610, appendix G), with names as comments."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator

from fotabuild.formats.suit.cbor_reader import Item, Kind
from fotabuild.formats.suit.cursor import Notes
from fotabuild.formats.suit.decoder import decode_at, open_envelope
from fotabuild.formats.suit.names import UUID_SIZE, Parameter
from fotabuild.limits import READ_LIMITS

_INDENT = "  "
_UUIDS = {p.value for p in (Parameter.VENDOR_ID, Parameter.CLASS_ID, Parameter.DEVICE_ID)}
_WORDS = {True: "true", False: "false", None: "null"}
#: Digits take twice the memory of bytes: those of a whole payload are never there at once.
_PIECE = 1 << 16


def diagnose(data: bytes, limit: int = READ_LIMITS.suit_envelope) -> str:
    """Return the diagnostic notation of an envelope.

    Byte strings that hold CBOR are shown as ``<< ... >>`` and codes have their names beside them.

    Raises:
        CborError: no deterministic CBOR.
        SuitError: no SUIT envelope, or larger than ``limit``.
    """
    return "".join(diagnose_in_pieces(data, limit))


def diagnose_in_pieces(data: bytes, limit: int = READ_LIMITS.suit_envelope) -> Iterator[str]:
    """Return what :func:`diagnose` returns in pieces. Errors are raised before the first one."""
    notes = Notes()
    at = open_envelope(data, notes, limit)
    decode_at(at)
    return _pieces(at.item, notes, "", "", "")


def _pieces(item: Item, notes: Notes, indent: str, before: str, after: str) -> Iterator[str]:
    """Yield the lines of an item.

    Args:
        item: the item.
        notes: names and embedded items.
        indent: blanks before each line.
        before: what stands before the item on its first line.
        after: what stands behind it on its last line.
    """
    if item.kind is Kind.TAG:
        yield from _pieces(item.items[0], notes, indent, f"{before}{item.value!r}(", f"){after}")
    elif item.start in notes.embedded:
        inner = notes.embedded[item.start]
        yield from _pieces(inner, notes, indent, f"{before}<<", f">>{after}")
    elif item.kind is Kind.MAP and item.items:
        yield f"{indent}{before}{{\n"
        pairs = list(zip(item.items[::2], item.items[1::2], strict=True))
        for place, (key, value) in enumerate(pairs):
            comma = "," if place < len(pairs) - 1 else ""
            start = f"{_comment(key, notes)}{''.join(_flat(key))}: "
            meaning = _meaning(value, notes.names.get(key.start, ""))
            yield from _pieces(value, notes, indent + _INDENT, start, comma + meaning)
        yield f"{indent}}}{after}\n"
    elif item.kind is Kind.ARRAY and _is_large(item, notes):
        yield f"{indent}{before}[\n"
        yield from _elements(item, notes, indent + _INDENT)
        yield f"{indent}]{after}\n"
    else:
        yield f"{indent}{before}{_comment(item, notes)}"
        yield from _flat(item)
        yield f"{after}\n"


def _elements(item: Item, notes: Notes, indent: str) -> Iterator[str]:
    """Yield the elements of an array; code and argument of a command share a line."""
    before = ""
    for place, element in enumerate(item.items):
        comma = "," if place < len(item.items) - 1 else ""
        is_code = element.start in notes.names and element.kind in (Kind.UNSIGNED, Kind.NEGATIVE)
        if is_code and not before and comma:
            before = f"{_comment(element, notes)}{element.value}, "
            continue
        yield from _pieces(element, notes, indent, before, comma)
        before = ""


def _is_large(item: Item, notes: Notes) -> bool:
    nested = (Kind.ARRAY, Kind.MAP, Kind.TAG)
    return any(
        each.start in notes.names or each.start in notes.embedded or each.kind in nested
        for each in item.items
    )


def _comment(item: Item, notes: Notes) -> str:
    name = notes.names.get(item.start)
    return f"/ {name} / " if name else ""


def _meaning(item: Item, name: str) -> str:
    if name in _UUIDS and isinstance(item.value, memoryview) and len(item.value) == UUID_SIZE:
        return f" / {uuid.UUID(bytes=bytes(item.value))} /"
    return ""


def _flat(item: Item) -> Iterator[str]:
    """Yield what stands on one line."""
    if item.kind is Kind.ARRAY:
        yield "["
        for place, each in enumerate(item.items):
            yield ", " if place else ""
            yield from _flat(each)
        yield "]"
    elif item.kind is Kind.MAP:
        yield "{}"
    elif isinstance(item.value, memoryview):
        yield "h'"
        for start in range(0, len(item.value), _PIECE):
            yield item.value[start : start + _PIECE].hex()
        yield "'"
    elif isinstance(item.value, str):
        yield json.dumps(item.value)
    elif item.kind is Kind.SIMPLE:
        yield _WORDS[item.value]  # type: ignore[index]
    else:
        yield str(item.value)
