"""The Python decoder and the C decoder give the same verdict on every damage of a patch."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.delta.decoder import apply_patch_python
from fotabuild.delta.encoder import make_patch
from fotabuild.errors import PatchError

from ..formats.golden import DELTAS, delta_images
from ..formats.strategies import QUICK
from ..native.patch_bytes import frame, header, triple
from .conftest import Apply

pytestmark = pytest.mark.cc
TINY = next(path for path in DELTAS if path.name.startswith("tiny-a_to_tiny-b"))
SMALL = next(path for path in DELTAS if path.name == "fw-1.0.0_to_fw-1.0.1_b1024.bin")
# Sizes that announce many megabytes are for the test of the limits, not for thousands of runs.
SIZE_BYTES = {index for start in (16, 24) for index in range(start + 2, start + 8)}


def python(old: bytes, patch: bytes, chunk: int) -> bytes | None:
    try:
        return apply_patch_python(old, patch, chunk)
    except PatchError:
        return None


def in_c(apply: Apply, old: bytes, patch: bytes, chunk: int) -> bytes | None:
    try:
        return apply(old, patch, chunk)
    except PatchError:
        return None


def test_every_byte_with_every_value(apply_in_c: Apply) -> None:
    """All 255 other values of all 107 bytes, but for twelve that would only announce sizes."""
    old, new, _ = delta_images(TINY)
    patch = TINY.read_bytes()
    verdicts = {"new image": 0, "other image": 0, "refused": 0}
    for index in range(len(patch)):
        values = {1, 0x80, 0xFF} if index in SIZE_BYTES else set(range(256))
        for value in values - {patch[index]}:
            damaged = patch[:index] + bytes([value]) + patch[index + 1 :]
            found = python(old, damaged, 512)
            assert found == in_c(apply_in_c, old, damaged, 64), (index, value)
            verdicts[
                "refused" if found is None else "new image" if found == new else "other image"
            ] += 1
    assert sum(verdicts.values()) > 24_000
    # Without effect are the last seek, which nobody reads, and matches elsewhere in the zeros.
    assert min(verdicts.values()) > 250


def test_every_byte_of_a_larger_patch(apply_in_c: Apply) -> None:
    old, _, _ = delta_images(SMALL)
    patch = SMALL.read_bytes()
    for index in range(len(patch)):
        if index not in SIZE_BYTES:
            damaged = patch[:index] + bytes([patch[index] ^ (1 << index % 8)]) + patch[index + 1 :]
            assert python(old, damaged, 4096) == in_c(apply_in_c, old, damaged, 4096), index


@QUICK
@given(st.data())
def test_spliced_patches(apply_in_c: Apply, data: st.DataObject) -> None:
    old, _, _ = delta_images(TINY)
    patch = TINY.read_bytes()
    start = data.draw(st.integers(40, len(patch)))
    end = data.draw(st.integers(start, min(len(patch), start + 6)))
    spliced = patch[:start] + data.draw(st.binary(max_size=6)) + patch[end:]
    chunk = data.draw(st.integers(1, 80))
    assert python(old, spliced, chunk) == in_c(apply_in_c, old, spliced, chunk)


def test_blocks_at_the_rules_of_their_end(apply_in_c: Apply) -> None:
    """Literals, one match, literals: liblz4 accepts more ends than the format allows."""
    verdicts = {True: 0, False: 0}
    for literals, match, last in itertools.product((0, 1, 14, 15, 16), range(4, 21), range(15)):
        for distance in {0, 1, literals, literals + 1}:
            block = _sequence(literals, match) + distance.to_bytes(2, "little")
            block += _length(match - 4) + _sequence(last, 4)
            size = literals + match + last
            patch = header(size, largest=len(block)) + triple(0, size) + frame(block)
            found = python(b"", patch, 512)
            assert found == in_c(apply_in_c, b"", patch, 512), (literals, match, last, distance)
            allowed = 1 <= distance <= literals and last >= 5 and match + last >= 12
            assert (found is not None) == allowed
            verdicts[allowed] += 1
    assert min(verdicts.values()) > 500


def _sequence(literals: int, match: int) -> bytes:
    token = min(literals, 15) << 4 | min(match - 4, 15)
    return bytes([token]) + _length(literals) + b"x" * literals


def _length(length: int) -> bytes:
    return bytes([length - 15]) if length >= 15 else b""


def test_another_old_image(apply_in_c: Apply) -> None:
    """A patch for another image decodes to a wrong one, or is refused; both say the same."""
    old, new, _ = delta_images(TINY)
    patch = TINY.read_bytes()
    for other in (old[:-1], old[1:], bytes(len(old)), old + b"x", b""):
        found = python(other, patch, 9)
        assert found == in_c(apply_in_c, other, patch, 9)
        assert found != new or other.startswith(old)


@pytest.mark.parametrize("offset", [16, 24])
def test_sizes_beyond_the_limits_are_refused_before_memory_is_taken(
    apply_in_c: Apply, offset: int
) -> None:
    patch = bytearray(make_patch(b"old", b"new").data)
    patch[offset + 3] = 0x7F
    assert python(b"old", bytes(patch), 64) is None
    assert in_c(apply_in_c, b"old", bytes(patch), 64) is None
