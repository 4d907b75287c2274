"""The patch stream's numbers and header (delta-patch, sections 1 and 6)."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.errors import PatchError
from fotabuild.formats.patch_stream import (
    HEADER_SIZE,
    MAGIC,
    PatchHeader,
    PatchRecord,
    decode_sign,
    encode_patch,
    encode_signed_varint,
    encode_varint,
    find_markers,
)
from fotabuild.limits import READ_LIMITS

from .golden import DELTAS, delta_images, firmware
from .strategies import QUICK


@pytest.mark.parametrize(
    ("value", "encoded"),
    [(0, "00"), (1, "01"), (127, "7f"), (128, "8001"), (158, "9e01"), (2**49 - 1, "ff" * 6 + "7f")],
)
def test_varints(value: int, encoded: str) -> None:
    assert encode_varint(value) == bytes.fromhex(encoded)


@pytest.mark.parametrize(
    ("value", "encoded"), [(0, "00"), (1, "02"), (-1, "03"), (64, "8001"), (-64, "8101")]
)
def test_signed_varints(value: int, encoded: str) -> None:
    assert encode_signed_varint(value) == bytes.fromhex(encoded)


@QUICK
@given(st.integers(-(2**48) + 1, 2**48 - 1))
def test_signed_numbers_fit_seven_bytes_and_lead_back(value: int) -> None:
    encoded = encode_signed_varint(value)
    unsigned = sum((byte & 0x7F) << 7 * index for index, byte in enumerate(encoded))
    assert decode_sign(unsigned) == value
    assert len(encoded) <= 7
    assert [byte >> 7 for byte in encoded] == [1] * (len(encoded) - 1) + [0]


@pytest.mark.parametrize("path", DELTAS, ids=lambda path: path.stem)
def test_golden_header(path: Path) -> None:
    data = path.read_bytes()
    _, new, block_size = delta_images(path)
    header = PatchHeader.decode(data)
    assert (header.new_size, header.block_size) == (len(new), block_size)
    assert 1 <= header.largest_frame <= block_size
    assert header.encode() == data[:HEADER_SIZE]


def test_worked_example_of_the_specification() -> None:
    """``tiny-a`` to ``tiny-b``, written from its triples, is the golden file."""
    frames = [
        bytes.fromhex("13000100110103000f02005a500000000000"),
        bytes.fromhex("1f00010005500000000000"),
        b"\xb0+new block+",
        bytes.fromhex("1f00010002500000010000"),
        b"\x20!!",
    ]
    records = [
        PatchRecord(158, (frames[0], frames[1]), 11, (frames[2],), 0),
        PatchRecord(27, (frames[3],), 2, (frames[4],), -1),
    ]
    golden = next(path for path in DELTAS if path.name.startswith("tiny-a_to_tiny-b"))
    assert encode_patch(198, 128, records) == golden.read_bytes()


def header(new_size: int = 1, block_size: int = 64, largest: int = 1) -> bytes:
    return MAGIC + b"".join(
        value.to_bytes(8, "little") for value in (new_size, block_size, largest)
    )


@pytest.mark.parametrize(
    ("data", "offset", "field"),
    [
        (b"", 0, None),
        (header()[:-1], 39, None),
        (b"PELION/BSDIFF002" + header()[16:], 0, None),
        (header(new_size=0), 16, "new size"),
        (header(new_size=2**32), 16, "new size"),
        (header(new_size=2**63 + 5), 16, "new size"),
        (header(block_size=63), 24, "block size"),
        (header(block_size=2**32), 24, "block size"),
        (header(block_size=2**63 + 512), 24, "block size"),
        (header(largest=0), 32, "largest frame"),
        (header(largest=65), 32, "largest frame"),
        (header(largest=2**63 + 1), 32, "largest frame"),
    ],
)
def test_unusable_headers_are_named(data: bytes, offset: int, field: str | None) -> None:
    assert PatchHeader.decode(header()) == PatchHeader(1, 64, 1)
    with pytest.raises(PatchError) as caught:
        PatchHeader.decode(data)
    assert (caught.value.offset, caught.value.field) == (offset, field)


def test_sizes_that_would_take_all_memory_are_refused() -> None:
    PatchHeader(READ_LIMITS.image, READ_LIMITS.patch_block, 1).check_limits()
    for large in (
        PatchHeader(READ_LIMITS.image + 1, 64, 1),
        PatchHeader(1, READ_LIMITS.patch_block + 1, 1),
    ):
        with pytest.raises(PatchError, match="above the limit"):
            large.check_limits()


@pytest.mark.parametrize(
    ("image", "markers"),
    [
        (b"", []),
        (b"PELION/BSDIFF00", []),
        (b"..PELION/BSDIFF001..", [MAGIC]),
        (b"PELION/BSDIFF001 PELION/BSDIFF001", [MAGIC]),
        (b"PELION/BSDIFF666 PELION/BSDIFF001", [b"PELION/BSDIFF666", MAGIC]),
        (b"PELION/BSDIFFabc\xffPELION/BSDIFF0015", [MAGIC]),
    ],
)
def test_markers(image: bytes, markers: list[bytes]) -> None:
    assert find_markers(image) == markers


def test_golden_firmware_carries_the_marker() -> None:
    for name in ("fw-0.9.0", "fw-1.0.0", "fw-1.0.1", "fw-1.1.0", "fw-1.2.0", "tiny-a"):
        assert find_markers(firmware(name)) == [MAGIC]
    assert find_markers(firmware("sub1")) == []
