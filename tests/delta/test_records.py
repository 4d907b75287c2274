"""Matching: pieces follow each other in the new image and are inside the old one."""

from __future__ import annotations

import pytest

from fotabuild.delta import records
from fotabuild.delta.records import match
from fotabuild.delta.segments import Piece

from .images import PAIRS


@pytest.mark.parametrize("name", PAIRS)
def test_pieces_are_inside_both_images(name: str) -> None:
    old, new = PAIRS[name]
    done = 0
    for new_at, old_at, size in match(old, new):
        assert size > 0
        assert done <= new_at <= new_at + size <= len(new)
        assert 0 <= old_at <= old_at + size <= len(old)
        done = new_at + size


def test_most_of_a_small_change_is_found() -> None:
    old, new = PAIRS["one byte inserted"]
    assert match(old, new) == [Piece(0, 0, 5000), Piece(5001, 5000, len(old) - 5000)]


def test_nothing_to_match_with() -> None:
    assert match(b"", b"new") == []


def sign_magnitude(value: int) -> bytes:
    return (abs(value) | (1 << 63 if value < 0 else 0)).to_bytes(8, "little")


def test_both_control_forms_of_the_matching_library_are_read() -> None:
    """Older releases give tuples, newer ones the blocks of the original program."""
    triples = [(5, 0, -3), (2**40, 7, 2**33), (0, 0, 0)]
    blocks = b"".join(sign_magnitude(number) for triple in triples for number in triple)
    assert list(records._control_records(blocks)) == triples
    assert list(records._control_records(triples)) == triples
