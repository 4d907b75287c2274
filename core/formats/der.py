"""DER for the formats: pyasn1 describes and writes, a strict reader of our own reads.

The reader walks the same pyasn1 schema. pyasn1's decoder is not used for foreign data: it accepts
lengths that are not minimal and cannot say at which offset a field went wrong
(``docs/decisions/0002-strict-der-reader.md``).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyasn1.codec.der.encoder import encode as _pyasn1_encode
from pyasn1.type import char, namedtype, univ

from fotabuild.errors import DerError

_MAX_INTEGER_BYTES = 9
_TAG_NAMES = {
    0x01: "BOOLEAN",
    0x02: "INTEGER",
    0x04: "OCTET STRING",
    0x0A: "ENUMERATED",
    0x0C: "UTF8String",
    0x30: "SEQUENCE",
}
_TAGS: tuple[tuple[type, int], ...] = (
    (univ.Boolean, 0x01),  # Before Integer, whose subclass it is.
    (univ.Enumerated, 0x0A),  # Before Integer, whose subclass it is.
    (univ.Integer, 0x02),
    (char.UTF8String, 0x0C),  # Before OctetString, whose subclass it is.
    (univ.OctetString, 0x04),
    (univ.Sequence, 0x30),
    (univ.SequenceOf, 0x30),
)

#: Decoded DER: ``bool``, ``int``, ``str``, ``bytes``, a mapping for SEQUENCE, a list for
#: SEQUENCE OF.
DerValue = Any


@dataclass(frozen=True)
class Decoded:
    """A decoded SEQUENCE.

    Attributes:
        values: the fields by their schema names; absent optional fields are missing.
        spans: for each field, by dotted path, its start and end offset with tag and length.
        end: offset behind the SEQUENCE.
    """

    values: Mapping[str, DerValue]
    spans: Mapping[str, tuple[int, int]]
    end: int


def sequence(*fields: namedtype.NamedType) -> univ.Sequence:
    """Return a schema for a SEQUENCE with these fields, in this order."""
    return univ.Sequence(componentType=namedtype.NamedTypes(*fields))


def encode(schema: univ.Sequence, values: Mapping[str, DerValue]) -> bytes:
    """Write ``values`` as DER; the names are those of the schema's fields."""
    return bytes(_pyasn1_encode(_fill(schema, values)))


def _fill(schema: Any, value: DerValue) -> Any:
    filled: Any = schema  # pyasn1's stubs leave clone() untyped.
    if isinstance(schema, univ.SequenceOf):
        filled = filled.clone()
        filled.clear()  # Without this an empty one counts as absent.
        filled.extend(_fill(schema.componentType, item) for item in value)
        return filled
    if isinstance(schema, univ.Sequence):
        filled = filled.clone()
        for field in schema.componentType.namedTypes:
            if field.name in value:
                filled[field.name] = _fill(field.asn1Object, value[field.name])
        return filled
    return schema.clone(value)


def decode(
    data: bytes,
    schema: univ.Sequence,
    *,
    allow_trailing: bool = False,
    integer_size: int = _MAX_INTEGER_BYTES,
) -> Decoded:
    """Read one DER SEQUENCE strictly.

    Args:
        data: the bytes, beginning with the SEQUENCE.
        schema: the expected fields.
        allow_trailing: accept bytes behind the SEQUENCE; ``end`` then says where they begin.
        integer_size: largest size in bytes of an integer.

    Raises:
        DerError: truncated, indefinite or non-minimal, wrong type, unknown or left-over data.
            The message names the field and the offset.
    """
    reader = _Reader(data, integer_size)
    values, end = reader.read(0, len(data), schema, "")
    if end != len(data) and not allow_trailing:
        raise DerError(f"{len(data) - end} bytes follow the end of the data", offset=end)
    return Decoded(values, reader.spans, end)


class _Reader:
    def __init__(self, data: bytes, integer_size: int) -> None:
        self._data = data
        self._integer_size = integer_size
        self.spans: dict[str, tuple[int, int]] = {}

    def _header(self, offset: int, limit: int, expected: int, path: str) -> tuple[int, int]:
        """Return start and end of the content of the element at ``offset``."""
        data = self._data

        def fail(problem: str) -> DerError:
            return DerError(problem, field=path or None, offset=offset)

        if limit - offset < 2:
            raise fail("the data ends here, inside or before this element")
        tag, first = data[offset], data[offset + 1]
        start = offset + 2
        if tag & 0x1F == 0x1F:
            raise fail("multi-byte tags are not used by this format")
        if tag != expected:
            found = _TAG_NAMES.get(tag, f"tag {tag:#04x}")
            raise fail(f"expected {_TAG_NAMES[expected]}, found {found}")
        if first == 0x80:
            raise fail("indefinite length is BER, not DER")
        length = first
        if first > 0x80:
            size = first & 0x7F
            if size > 4 or start + size > limit:
                raise fail("the length field is cut off or too long")
            length = int.from_bytes(data[start : start + size], "big")
            start += size
            if length < 0x80 or length >> (8 * (size - 1)) == 0:
                raise fail("the length is not written in the shortest form")
        if start + length > limit:
            raise fail(f"the element claims {length} bytes, {limit - start} are left")
        return start, start + length

    def read(self, offset: int, limit: int, schema: Any, path: str) -> tuple[DerValue, int]:
        expected = _tag_of(schema)
        start, end = self._header(offset, limit, expected, path)
        self.spans[path] = (offset, end)
        if isinstance(schema, univ.SequenceOf):
            return self._items(start, end, schema, path), end
        if isinstance(schema, univ.Sequence):
            return self._fields(start, end, schema, path), end
        return self._primitive(start, end, expected, path), end

    def _items(self, start: int, end: int, schema: Any, path: str) -> list[DerValue]:
        items: list[DerValue] = []
        while start < end:
            value, start = self.read(start, end, schema.componentType, f"{path}[{len(items)}]")
            items.append(value)
        return items

    def _fields(self, start: int, end: int, schema: Any, path: str) -> dict[str, DerValue]:
        values = {}
        for field in schema.componentType.namedTypes:
            absent = start == end or self._data[start] != _tag_of(field.asn1Object)
            if absent and field.isOptional:
                continue
            name = f"{path}.{field.name}" if path else field.name
            values[field.name], start = self.read(start, end, field.asn1Object, name)
        if start != end:
            raise DerError(
                "an unknown element follows the last field", field=path or None, offset=start
            )
        return values

    def _primitive(self, start: int, end: int, tag: int, path: str) -> DerValue:
        content = self._data[start:end]
        if tag == 0x04:
            return content
        if tag == 0x0C:
            try:
                return content.decode()
            except UnicodeDecodeError as error:
                raise DerError("not valid UTF-8", field=path, offset=start + error.start) from None
        if tag == 0x01:
            if content not in (b"\x00", b"\xff"):
                raise DerError("a truth value is one byte, 00 or ff", field=path, offset=start)
            return content == b"\xff"
        if not 1 <= len(content) <= self._integer_size:
            raise DerError(f"an integer of {len(content)} bytes", field=path, offset=start)
        value = int.from_bytes(content, "big", signed=True)
        if len(content) > 1 and -0x80 << 8 * (len(content) - 2) <= value < 0x80 << 8 * (
            len(content) - 2
        ):
            raise DerError("the integer has superfluous bytes", field=path, offset=start)
        return value


def _tag_of(schema: Any) -> int:
    for kind, tag in _TAGS:
        if isinstance(schema, kind):
            return tag
    raise TypeError(f"no DER tag for {type(schema).__name__}")
