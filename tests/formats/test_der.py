"""The strict DER reader: one spelling per value, and errors with field and offset."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyasn1.type import char, namedtype, univ

from fotabuild.errors import DerError
from fotabuild.formats import der

from .strategies import QUICK

INNER = der.sequence(namedtype.NamedType("text", char.UTF8String()))
SCHEMA = der.sequence(
    namedtype.NamedType("number", univ.Integer()),
    namedtype.NamedType("kind", univ.Enumerated()),
    namedtype.NamedType("data", univ.OctetString()),
    namedtype.OptionalNamedType("list", univ.SequenceOf(componentType=INNER)),
)
NUMBER, KIND, DATA = b"\x02\x01\x05", b"\x0a\x01\x01", b"\x04\x02ab"


def wrap(*elements: bytes) -> bytes:
    content = b"".join(elements)
    assert len(content) < 0x80
    return bytes([0x30, len(content)]) + content


def test_values_and_spans() -> None:
    item = wrap(b"\x0c\x02\xc3\xa4")
    data = wrap(NUMBER, KIND, DATA, wrap(item, item))
    decoded = der.decode(data, SCHEMA)
    assert decoded.values == {
        "number": 5,
        "kind": 1,
        "data": b"ab",
        "list": [{"text": "\u00e4"}, {"text": "\u00e4"}],
    }
    assert decoded.end == len(data)
    assert {name: data[start:end] for name, (start, end) in decoded.spans.items()} == {
        "": data,
        "number": NUMBER,
        "kind": KIND,
        "data": DATA,
        "list": wrap(item, item),
        **{f"list[{i}]": item for i in range(2)},
        **{f"list[{i}].text": b"\x0c\x02\xc3\xa4" for i in range(2)},
    }
    assert der.encode(SCHEMA, decoded.values) == data


def test_absent_optional_field_is_missing() -> None:
    assert set(der.decode(wrap(NUMBER, KIND, DATA), SCHEMA).values) == {"number", "kind", "data"}


@pytest.mark.parametrize(
    ("data", "field", "offset", "problem"),
    [
        (b"", None, 0, "the data ends here"),
        (b"\x30", None, 0, "the data ends here"),
        (b"\x30\x05" + NUMBER, None, 0, "claims 5 bytes, 3 are left"),
        (b"\x31" + wrap(NUMBER)[1:], None, 0, "expected SEQUENCE, found tag 0x31"),
        (b"\x30\x80" + NUMBER + KIND + DATA + b"\0\0", None, 0, "indefinite length"),
        (b"\x30\x81\x0a" + NUMBER + KIND + DATA, None, 0, "not written in the shortest form"),
        (b"\x30\x82\x00\x0a" + NUMBER + KIND + DATA, None, 0, "not written in the shortest form"),
        (b"\x30\x85\x00\x00\x00\x00\x0a" + NUMBER, None, 0, "cut off or too long"),
        (b"\x30\x84\xff", None, 0, "cut off or too long"),
        (b"\x3f\x81\x01\x00", None, 0, "multi-byte tags"),
        (wrap(KIND, KIND, DATA), "number", 2, "expected INTEGER, found ENUMERATED"),
        (wrap(NUMBER, NUMBER, DATA), "kind", 5, "expected ENUMERATED, found INTEGER"),
        (wrap(NUMBER, KIND, b"\x24\x04\x04\x02ab"), "data", 8, "found tag 0x24"),
        (wrap(NUMBER, KIND), "data", 8, "the data ends here"),
        (wrap(NUMBER, KIND, DATA, DATA), None, 12, "an unknown element follows"),
        (wrap(NUMBER, KIND, DATA) + b"\0", None, 12, "1 bytes follow the end"),
        (wrap(b"\x02\x02\x00\x05", KIND, DATA), "number", 4, "superfluous bytes"),
        (wrap(b"\x02\x02\xff\x85", KIND, DATA), "number", 4, "superfluous bytes"),
        (wrap(b"\x02\x00", KIND, DATA), "number", 4, "an integer of 0 bytes"),
        (wrap(b"\x02\x0a" + b"\x01" * 10, KIND, DATA), "number", 4, "an integer of 10 bytes"),
        (
            wrap(NUMBER, KIND, DATA, wrap(wrap(b"\x0c\x02\xc3\x28"))),
            "list[0].text",
            18,
            "not valid UTF-8",
        ),
    ],
)
def test_refusals_name_field_and_offset(
    data: bytes, field: str | None, offset: int, problem: str
) -> None:
    with pytest.raises(DerError) as caught:
        der.decode(data, SCHEMA)
    assert problem in caught.value.problem
    assert (caught.value.field, caught.value.offset) == (field, offset)


@pytest.mark.parametrize(
    ("value", "content"),
    [
        (0, "00"),
        (127, "7f"),
        (128, "0080"),
        (-1, "ff"),
        (-129, "ff7f"),
        (257, "0101"),
        (2**31, "0080000000"),
        (2**63, "008000000000000000"),
    ],
)
def test_integers_are_minimal_two_s_complement(value: int, content: str) -> None:
    element = bytes([2, len(content) // 2]) + bytes.fromhex(content)
    values = {"number": value, "kind": 1, "data": b"ab"}
    assert der.encode(SCHEMA, values) == wrap(element, KIND, DATA)
    assert der.decode(wrap(element, KIND, DATA), SCHEMA).values == values


def test_the_smallest_one_byte_integer_reads() -> None:
    """pyasn1 writes -128 with a superfluous byte; none of our formats has negative numbers."""
    assert der.decode(wrap(b"\x02\x01\x80", KIND, DATA), SCHEMA).values["number"] == -128


@pytest.mark.parametrize("size", [0, 1, 127, 128, 255, 256, 65535, 65536])
def test_long_lengths(size: int) -> None:
    values = {"number": 0, "kind": 0, "data": bytes(size)}
    assert der.decode(der.encode(SCHEMA, values), SCHEMA).values == values


def test_trailing_bytes_can_be_left_to_the_caller() -> None:
    good = wrap(NUMBER, KIND, DATA)
    assert der.decode(good + b"rest", SCHEMA, allow_trailing=True).end == len(good)


@QUICK
@given(st.binary(max_size=60) | st.binary(max_size=40).map(wrap))
def test_any_bytes_are_refused_or_canonical(data: bytes) -> None:
    try:
        decoded = der.decode(data, SCHEMA)
    except DerError:
        return
    assert der.encode(SCHEMA, decoded.values) == data
