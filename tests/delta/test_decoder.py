"""The Python decoder on golden patches and as a stream; C's verdict on damage is elsewhere."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.delta.decoder import PatchDecoder, apply_patch, apply_patch_python
from fotabuild.delta.encoder import make_patch
from fotabuild.errors import PatchError

from ..formats.golden import DELTAS, delta_images
from ..native.patch_bytes import frame, header, literals, triple, varint
from .images import PAIRS

SMALL = next(path for path in DELTAS if path.name == "fw-1.0.0_to_fw-1.0.1_b1024.bin")


def test_golden_patches_are_there() -> None:
    assert len(DELTAS) == 11


@pytest.mark.parametrize("path", DELTAS, ids=lambda path: path.stem)
def test_golden_patch_gives_the_new_image(path: Path) -> None:
    old, new, _ = delta_images(path)
    for chunk in (1, 7, 128, 512, 1000, 1024, 16384):
        assert apply_patch_python(old, path.read_bytes(), chunk) == new


def test_without_the_c_library_python_does_the_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOTABUILD_PURE_PYTHON", "1")
    old, new, _ = delta_images(SMALL)
    assert apply_patch(old, SMALL.read_bytes()) == new
    with pytest.raises(PatchError, match="the patch is cut off"):
        apply_patch(old, SMALL.read_bytes()[:-1])


def test_output_leaves_as_soon_as_its_frame_is_complete() -> None:
    old, new, block_size = delta_images(SMALL)
    decoder = PatchDecoder(old)
    produced = bytearray()
    largest = 0
    for byte in SMALL.read_bytes():
        output = decoder.feed(bytes([byte]))
        largest = max(largest, len(output))
        produced += output
        assert new.startswith(produced)
    decoder.finish()
    assert bytes(produced) == new
    assert largest <= block_size


def test_every_truncation_is_refused_at_its_end() -> None:
    old, _, _ = delta_images(SMALL)
    patch = SMALL.read_bytes()
    for size in range(len(patch)):
        with pytest.raises(PatchError, match="cut off") as caught:
            apply_patch_python(old, patch[:size], 100)
        assert caught.value.offset == size


@pytest.mark.parametrize("chunk", [1, 50, 1 << 20])
def test_trailing_byte_is_refused(chunk: int) -> None:
    old, _, _ = delta_images(SMALL)
    patch = SMALL.read_bytes()
    with pytest.raises(PatchError, match="1 bytes follow the end") as caught:
        apply_patch_python(old, patch + b"\0", chunk)
    assert caught.value.offset == len(patch)


GOOD = frame(literals(b"ab"))


@pytest.mark.parametrize(
    ("body", "offset", "problem"),
    [
        (triple(0, 3) + GOOD, 40, "goes beyond the new image"),
        (triple(3, 0) + GOOD, 40, "goes beyond the new image"),
        (triple(1, 2) + GOOD, 40, "goes beyond the new image"),
        (triple(2, 0) + GOOD, 40, "reads outside the old image"),
        (triple(0, 0, -1) + triple(1, 1) + GOOD, 43, "reads outside the old image"),
        (triple(0, 0, 1) + triple(1, 1) + GOOD, 43, "reads outside the old image"),
        (b"\x80\x00" + b"\x02\x00" + GOOD, 40, "the number is not minimal"),
        (b"\x00\x82\x00\x00" + GOOD, 41, "the number is not minimal"),
        (b"\xff" * 7 + b"\x01", 40, "more than 7 bytes"),
        (b"\x00\x02\x01" + GOOD, 42, "minus zero"),
        (triple(0, 2) + b"\x00" + GOOD, 43, "a frame of 0 bytes"),
        (triple(0, 2) + varint(65) + bytes(65), 43, "a frame of 65 bytes in blocks of 64"),
        (triple(0, 2) + frame(b"\x00"), 43, "the frame holds 0 bytes"),
        (triple(0, 2) + frame(literals(b"abc")), 43, "the frame holds 3 bytes, 2 at most"),
        (triple(0, 2) + frame(b"\x30ab"), 43, "ends inside its literals"),
        (triple(1, 1) + frame(literals(b"ab")), 43, "the frame holds 2 bytes, 1 at most"),
    ],
)
def test_refusals_name_the_offset(body: bytes, offset: int, problem: str) -> None:
    good = header(2, largest=3) + triple(0, 2) + GOOD
    assert apply_patch_python(b"x", good) == b"ab"
    for chunk in (1, 1000):
        with pytest.raises(PatchError, match=problem) as caught:
            apply_patch_python(b"x", header(2, largest=3) + body, chunk)
        assert caught.value.offset == offset


def test_header_that_is_wrong_about_its_longest_frame_is_refused() -> None:
    with pytest.raises(PatchError, match="the header says 4, the longest has 3") as caught:
        apply_patch_python(b"x", header(2, largest=4) + triple(0, 2) + GOOD)
    assert (caught.value.offset, caught.value.field) == (32, "largest frame")


def test_freedoms_of_other_encoders_are_accepted() -> None:
    """Section 4: one-byte frames, empty and pure-seek records, reading backwards and twice."""
    old = b"0123456789"
    zero = frame(literals(b"\0"))
    body = triple(0, 0, 9) + triple(1, 0, -10) + zero + triple(2, 2, -100) + zero + zero
    body += frame(literals(b"a")) + frame(literals(b"b")) + triple(0, 0, 98)
    body += triple(1, 1, -77) + frame(literals(b"\x01")) + frame(literals(b"c"))
    assert apply_patch_python(old, header(7, largest=2) + body, 1) == b"901ab1c"


def test_decoder_does_not_go_on_after_an_error() -> None:
    decoder = PatchDecoder(b"x")
    with pytest.raises(PatchError):
        decoder.feed(b"PELION/BSDIFF002" + bytes(24))
    with pytest.raises(PatchError):
        decoder.finish()


def test_any_pair_also_through_the_public_name() -> None:
    old, new = PAIRS["growing"]
    assert apply_patch(old, make_patch(old, new).data, 333) == new
