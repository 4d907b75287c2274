"""The encoder on every kind of change, applied by the Python decoder in all ways."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.delta import records
from fotabuild.delta.decoder import apply_patch_python
from fotabuild.delta.encoder import make_patch
from fotabuild.delta.records import Record
from fotabuild.errors import DeltaError, FotabuildError
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader

from ..formats.golden import firmware
from ..formats.strategies import QUICK
from .conftest import Apply
from .images import BLOCK_SIZES, PAIRS, noise

CHUNKS = (1, 2, 3, 7, 39, 40, 41, 64, 512, 1000, 1 << 20)


@pytest.mark.parametrize("name", PAIRS)
def test_every_change_and_every_chunk_size(name: str) -> None:
    old, new = PAIRS[name]
    patch = make_patch(old, new)
    for chunk in CHUNKS if len(patch) < 20_000 else (7, 512):
        assert apply_patch_python(old, patch, chunk) == new


@pytest.mark.parametrize("block_size", BLOCK_SIZES)
@pytest.mark.parametrize("name", ["growing", "incompressible", "identical", "other byte"])
def test_every_block_size(name: str, block_size: int) -> None:
    old, new = PAIRS[name]
    patch = make_patch(old, new, block_size)
    header = PatchHeader.decode(patch[:HEADER_SIZE])
    assert (header.new_size, header.block_size) == (len(new), block_size)
    # The decoder refuses a header that is not true about its longest frame.
    assert apply_patch_python(old, patch) == new


@pytest.mark.cc
@pytest.mark.parametrize("name", PAIRS)
def test_c_decoder_makes_the_same_image(name: str, apply_in_c: Apply) -> None:
    old, new = PAIRS[name]
    for block_size in (64, 512, 65536):
        patch = make_patch(old, new, block_size)
        for chunk in (1, 512, len(patch)):
            assert apply_in_c(old, patch, chunk) == new


@pytest.mark.cc
def test_four_mebibytes(apply_in_c: Apply) -> None:
    old = noise(4 << 20)
    new = old[: 1 << 20] + b"inserted" + old[1 << 20 : 3 << 20] + noise(5000, 9) + old[3 << 20 :]
    patch = make_patch(old, new)
    assert len(patch) < len(new) // 20
    assert apply_patch_python(old, patch) == apply_in_c(old, patch, 512) == new


def test_four_mebibytes_that_share_nothing() -> None:
    """Incompressible and unrelated: the patch is hardly larger than the image."""
    new = noise(4 << 20)
    patch = make_patch(firmware("tiny-a"), new)
    assert len(new) < len(patch) < 1.02 * len(new)
    assert apply_patch_python(firmware("tiny-a"), patch, 4096) == new


@pytest.mark.parametrize(
    ("name", "limit"),
    [
        ("identical", 1000),
        ("one byte changed", 1100),
        ("one byte inserted", 1100),
        ("one byte removed", 1100),
        ("halves exchanged", 1200),
        ("growing", 21_000),
        ("only the beginning", 100),
    ],
)
def test_small_changes_make_small_patches(name: str, limit: int) -> None:
    assert len(make_patch(*PAIRS[name])) < limit


def test_same_images_give_the_same_patch() -> None:
    assert make_patch(*PAIRS["growing"]) == make_patch(*PAIRS["growing"])


def test_patch_that_does_not_give_the_new_image_never_leaves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Should matching or compression ever fail, the comparison finds it."""
    monkeypatch.setattr(records, "match", lambda _old, new: [Record(b"", new[:-1], 0)])
    with pytest.raises(FotabuildError):
        make_patch(b"old", b"new")
    wrong = [Record(b"", b"neW", 0)]
    monkeypatch.setattr(records, "match", lambda _old, _new: wrong)
    with pytest.raises(DeltaError, match="does not reproduce the new image"):
        make_patch(b"old", b"new")


def test_empty_new_image_is_an_error() -> None:
    with pytest.raises(DeltaError, match="no patch can make an image of 0 bytes"):
        make_patch(b"old", b"")


@pytest.mark.parametrize("block_size", [-1, 0, 1, 63, 2**32])
def test_block_size_that_no_device_accepts_is_an_error(block_size: int) -> None:
    with pytest.raises(DeltaError, match="out of range") as caught:
        make_patch(b"old", b"new", block_size)
    assert caught.value.field == "block-size"


pieces = st.lists(st.binary(max_size=40) | st.integers(1, 600).map(bytes), max_size=8)


@QUICK
@given(pieces, pieces, st.randoms(use_true_random=False), st.sampled_from([64, 100, 512]))
def test_any_two_images(
    common: list[bytes], fresh: list[bytes], order: st.DataObject, block_size: int
) -> None:
    old = b"".join(common)
    mixed = [*common, *fresh]
    order.shuffle(mixed)  # type: ignore[attr-defined]
    new = b"".join(mixed) or b"\0"
    assert apply_patch_python(old, make_patch(old, new, block_size), 17) == new
