"""CBOR diagnostic notation (RFC 8949, section 8; RFC 8610, appendix G), with names as comments."""

from __future__ import annotations

import contextlib
import json
import uuid
from collections.abc import Iterator

from fotabuild.errors import CborError, SuitError
from fotabuild.formats.suit.cbor_reader import Item, Kind
from fotabuild.formats.suit.cursor import Notes
from fotabuild.formats.suit.decoder import decode_envelope, open_envelope
from fotabuild.formats.suit.names import UUID_SIZE, Parameter
from fotabuild.limits import READ_LIMITS

_INDENT = "  "
_UUIDS = {p.value for p in (Parameter.VENDOR_ID, Parameter.CLASS_ID, Parameter.DEVICE_ID)}
_WORDS = {True: "true", False: "false", None: "null"}


def diagnose(data: bytes, limit: int = READ_LIMITS.suit_envelope) -> str:
    """Return the diagnostic notation of an envelope.

    Byte strings that hold CBOR are shown as ``<< ... >>`` and codes have their names beside them.
    Of an envelope that is no valid SUIT, names are given as far as it was understood.

    Raises:
        CborError: no deterministic CBOR.
        SuitError: the file is larger than ``limit``.
    """
    notes = Notes()
    at = open_envelope(data, limit=limit)
    with contextlib.suppress(SuitError, CborError):  # Those who verify report what is wrong.
        decode_envelope(data, notes=notes, limit=limit)
    return "\n".join(_lines(at.item, notes, "", "", "")) + "\n"


def _lines(item: Item, notes: Notes, indent: str, before: str, after: str) -> Iterator[str]:
    """Yield the lines of an item.

    Args:
        item: the item.
        notes: names and embedded items.
        indent: blanks before each line.
        before: what stands before the item on its first line.
        after: what stands behind it on its last line.
    """
    if item.kind is Kind.TAG:
        yield from _lines(item.items[0], notes, indent, f"{before}{item.value!r}(", f"){after}")
    elif item.start in notes.embedded:
        inner = notes.embedded[item.start]
        yield from _lines(inner, notes, indent, f"{before}<<", f">>{after}")
    elif item.kind is Kind.MAP and item.items:
        yield f"{indent}{before}{{"
        pairs = list(zip(item.items[::2], item.items[1::2], strict=True))
        for place, (key, value) in enumerate(pairs):
            comma = "," if place < len(pairs) - 1 else ""
            start = f"{_comment(key, notes)}{_flat(key)}: "
            name = notes.names.get(key.start, "")
            yield from _lines(value, notes, indent + _INDENT, start, comma + _meaning(value, name))
        yield f"{indent}}}{after}"
    elif item.kind is Kind.ARRAY and _is_large(item, notes):
        yield f"{indent}{before}["
        yield from _elements(item, notes, indent + _INDENT)
        yield f"{indent}]{after}"
    else:
        yield f"{indent}{before}{_comment(item, notes)}{_flat(item)}{after}"


def _elements(item: Item, notes: Notes, indent: str) -> Iterator[str]:
    """Yield the elements of an array; code and argument of a command share a line."""
    before = ""
    for place, element in enumerate(item.items):
        comma = "," if place < len(item.items) - 1 else ""
        is_code = element.start in notes.names and element.kind in (Kind.UNSIGNED, Kind.NEGATIVE)
        if is_code and not before and comma:
            before = f"{_comment(element, notes)}{_flat(element)}, "
            continue
        yield from _lines(element, notes, indent, before, comma)
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
    if name in _UUIDS and isinstance(item.value, bytes) and len(item.value) == UUID_SIZE:
        return f" / {uuid.UUID(bytes=item.value)} /"
    return ""


def _flat(item: Item) -> str:
    if item.kind is Kind.ARRAY:
        return f"[{', '.join(_flat(each) for each in item.items)}]"
    if item.kind is Kind.MAP:
        return "{}"
    if isinstance(item.value, bytes):
        return f"h'{item.value.hex()}'"
    if isinstance(item.value, str):
        return json.dumps(item.value)
    if item.kind is Kind.SIMPLE:
        return _WORDS[item.value]  # type: ignore[index]
    return str(item.value)
