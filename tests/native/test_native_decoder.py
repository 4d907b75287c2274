"""The C decoder on good patches, on cut ones, and as a stream."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from .patch_bytes import frame, header, literals, triple
from .patch_library import SOURCES, PatchLibrary, WriteNew

VECTORS = Path(__file__).parents[1] / "vectors"
PATCHES = sorted((VECTORS / "delta").glob("*.bin"))
CHUNKS = (0, 1, 3, 7, 128, 512, 1000, 1024, 4096, 16384)
SMALL_PATCH = VECTORS / "delta" / "fw-1.0.0_to_fw-1.0.1_b1024.bin"


def golden(patch: Path) -> tuple[bytes, bytes, int]:
    """Old image, new image and block size, all three named by the file name."""
    match = re.fullmatch(r"(.+)_to_(.+)_b(\d+)", patch.stem)
    assert match is not None
    old, new = ((VECTORS / "firmware" / f"{match[i]}.bin").read_bytes() for i in (1, 2))
    return old, new, int(match[3])


@pytest.mark.parametrize("chunk", CHUNKS)
@pytest.mark.parametrize("patch", PATCHES, ids=lambda path: path.stem)
def test_golden_patch_gives_the_new_image(decoder: PatchLibrary, patch: Path, chunk: int) -> None:
    old, new, block = golden(patch)
    outcome = decoder.apply(old, patch.read_bytes(), chunk=chunk, capacity=block)
    assert outcome.status == "ok"
    assert outcome.image == new
    assert outcome.offset == patch.stat().st_size


def test_golden_patches_are_there() -> None:
    assert len(PATCHES) == 11


@pytest.mark.parametrize("patch", PATCHES, ids=lambda path: path.stem)
def test_capacity_below_the_block_size_is_refused(decoder: PatchLibrary, patch: Path) -> None:
    old, _, block = golden(patch)
    outcome = decoder.apply(old, patch.read_bytes(), capacity=block - 1)
    assert (outcome.status, outcome.offset) == ("error_block_too_large", 24)
    assert outcome.image == b""


def test_every_truncation_is_named(decoder: PatchLibrary) -> None:
    old, new, block = golden(SMALL_PATCH)
    patch = SMALL_PATCH.read_bytes()
    for length in range(len(patch)):
        outcome = decoder.apply(old, patch[:length], chunk=100, capacity=block)
        assert (outcome.status, outcome.offset) == ("error_truncated", length)
        assert new.startswith(outcome.image)
        assert len(outcome.image) < len(new)


def test_trailing_byte_is_found_in_the_same_chunk_and_in_a_later_one(
    decoder: PatchLibrary,
) -> None:
    old, _, block = golden(SMALL_PATCH)
    patch = SMALL_PATCH.read_bytes()
    for chunk in (0, 1, len(patch)):
        outcome = decoder.apply(old, patch + b"\0", chunk=chunk, capacity=block)
        assert (outcome.status, outcome.offset) == ("error_trailing", len(patch))


def test_stream_reports_progress_and_keeps_its_answer(decoder: PatchLibrary) -> None:
    old, new, block = golden(SMALL_PATCH)
    patch = SMALL_PATCH.read_bytes()
    written = bytearray()
    reads: list[tuple[int, int]] = []

    def read(offset: int, length: int) -> bytes:
        reads.append((offset, length))
        return old[offset : offset + length]

    def write(data: bytes) -> bool:
        assert 1 <= len(data) <= block
        written.extend(data)
        return True

    stream = decoder.stream(len(old), block, read, write)
    assert stream.sizes == (0, 0)
    assert stream.feed(None) == "more"
    for byte in patch[:-1]:
        assert stream.feed(bytes([byte])) == "more"
    assert stream.sizes == (len(new), block)
    assert stream.feed(patch[-1:]) == "done"
    assert stream.feed(b"") == "done"
    assert stream.finish() == "ok"
    assert stream.offset == len(patch)
    assert bytes(written) == new
    assert all(n <= block and o + n <= len(old) for o, n in reads)

    assert stream.feed(b"x") == "error_trailing"
    assert stream.feed(b"") == "error_trailing"
    assert stream.finish() == "error_trailing"


def test_two_streams_do_not_disturb_each_other(decoder: PatchLibrary) -> None:
    old, new, block = golden(SMALL_PATCH)
    patch = SMALL_PATCH.read_bytes()
    outputs = [bytearray(), bytearray()]

    def writer(output: bytearray) -> WriteNew:
        def write(data: bytes) -> bool:
            output.extend(data)
            return True

        return write

    streams = [
        decoder.stream(len(old), block, lambda o, n: old[o : o + n], writer(output))
        for output in outputs
    ]
    for byte in patch:
        for stream in streams:
            stream.feed(bytes([byte]))
    assert [stream.finish() for stream in streams] == ["ok", "ok"]
    assert outputs == [new, new]


def test_failing_callbacks_stop_the_decoder(decoder: PatchLibrary) -> None:
    patch = header(3, largest=2) + triple(1, 2) + frame(literals(b"\1")) + frame(literals(b"bc"))
    frame_offset = 40 + 3 + 1
    broken_read = decoder.stream(1, 64, lambda _offset, _length: None, lambda _data: True)
    assert broken_read.feed(patch) == "error_read"
    assert broken_read.offset == frame_offset
    broken_write = decoder.stream(1, 64, lambda _offset, _length: b"A", lambda _data: False)
    assert broken_write.feed(patch) == "error_write"
    assert broken_write.feed(b"") == broken_write.finish() == "error_write"
    assert decoder.apply(b"A", patch, capacity=64, room=2).status == "error_write"


def test_every_status_of_the_header_has_its_name(decoder: PatchLibrary) -> None:
    text = (SOURCES / "fota_patch.h").read_text(encoding="utf-8")
    statuses = dict(re.findall(r"FOTA_PATCH_(OK|MORE|DONE|ERROR_\w+) = (\d+)", text))
    assert len(statuses) == 17
    assert all(decoder.status_name(int(n)) == name.lower() for name, n in statuses.items())
    assert decoder.status_name(99) == "unknown"


def test_delta_tools_find_the_magic_in_one_piece(decoder: PatchLibrary) -> None:
    assert decoder.path.read_bytes().count(b"PELION/BSDIFF001") == 1
