"""What is given by mistake in place of an image, and images that look a little like it."""

from __future__ import annotations

import random

import pytest

from fotabuild.formats.no_image import other_kind
from fotabuild.formats.patch_stream import MAGIC, PatchHeader


@pytest.mark.parametrize(
    ("data", "kind"),
    [
        (b"\x7fELF" + bytes(60), "an ELF file"),
        (PatchHeader(1000, 512, 500).encode(), "a patch"),
        (PatchHeader(1000, 512, 500).encode() + bytes(100), "a patch"),
        (MAGIC + b"the mark alone may be a decoder's", None),
        (b"firmware" + MAGIC, None),
        (MAGIC[:-1] + b"2", None),
        (b"", None),
    ],
)
def test_what_begins_so(data: bytes, kind: str | None) -> None:
    assert other_kind(data) == kind


@pytest.mark.parametrize(
    "start",
    [
        bytes.fromhex("30820020"),  # Stack pointers that a manifest may begin with.
        bytes.fromhex("30820a20"),
        bytes.fromhex("300a0120"),
        bytes.fromhex("30300a0a01"),
        bytes.fromhex("d86b0020"),
        bytes.fromhex("d86ba220"),
        bytes.fromhex("d86ba202"),
    ],
)
def test_images_that_begin_like_a_manifest(start: bytes) -> None:
    for seed in range(50):
        assert other_kind(start + random.Random(seed).randbytes(5000)) is None
