"""Matching: records cover the new image exactly and read inside the old one."""

from __future__ import annotations

import pytest

from fotabuild.delta import records
from fotabuild.delta.records import Record, match

from .images import PAIRS


@pytest.mark.parametrize("name", PAIRS)
def test_records_make_the_new_image(name: str) -> None:
    old, new = PAIRS[name]
    found = match(old, new)
    made = bytearray()
    position = 0
    for record in found:
        if record.diff:
            assert 0 <= position <= len(old) - len(record.diff)
        taken = old[position : position + len(record.diff)] if record.diff else b""
        made += bytes((a + b) % 256 for a, b in zip(taken, record.diff, strict=True))
        made += record.extra
        position += len(record.diff) + record.seek
    assert bytes(made) == new
    assert found[-1].seek == 0


def test_nothing_to_match_with() -> None:
    assert match(b"", b"new") == [Record(b"", b"new", 0)]


def sign_magnitude(value: int) -> bytes:
    return (abs(value) | (1 << 63 if value < 0 else 0)).to_bytes(8, "little")


def test_both_control_forms_of_the_matching_library_are_read() -> None:
    """Older releases give tuples, newer ones the blocks of the original program."""
    triples = [(5, 0, -3), (2**40, 7, 2**33), (0, 0, 0)]
    blocks = b"".join(sign_magnitude(number) for triple in triples for number in triple)
    assert list(records._control_records(blocks)) == triples
    assert list(records._control_records(triples)) == triples
