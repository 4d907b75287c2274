"""Combined packages: golden ones, ours, and what other tar programs say of ours."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import pytest
from hypothesis import given

from fotabuild.errors import FormatError, PackageError
from fotabuild.formats.combined_package import (
    PackageImage,
    decode_package,
    encode_descriptor,
    encode_package,
)

from .golden import PACKAGES, firmware, golden_name
from .strategies import QUICK, package_images

TWO = [
    PackageImage("sub1", b"v1.0", firmware("sub1")),
    PackageImage("sub2", b"second image, vendor data 32 B..", firmware("sub2")),
]
THREE = [
    PackageImage("abcdefgh", b"a", firmware("sub1")),
    PackageImage("sub-2.x_", b"b", firmware("sub2")),
    PackageImage("s3", b"c", firmware("sub3")),
]
GOLDEN = {"two": TWO, "two-aligned": TWO, "three": THREE}


def test_golden_packages_are_there() -> None:
    assert {golden_name(path) for path in PACKAGES} == set(GOLDEN)


@pytest.mark.parametrize("path", PACKAGES, ids=golden_name)
def test_golden_package_decodes(path: Path) -> None:
    assert decode_package(path.read_bytes()) == GOLDEN[golden_name(path)]


@pytest.mark.parametrize("name", ["two", "three"])
def test_descriptor_equals_the_golden_one(name: str) -> None:
    golden = PACKAGES[0].with_name(f"{name}._desc_.der").read_bytes()
    assert encode_descriptor(GOLDEN[name]) == golden
    package = encode_package(GOLDEN[name])
    with tarfile.open(fileobj=io.BytesIO(package)) as archive:
        member = archive.extractfile("_desc_")
        assert member is not None
        assert member.read() == golden


@QUICK
@given(package_images)
def test_what_is_written_reads_back(images: list[PackageImage]) -> None:
    package = encode_package(images)
    assert decode_package(package) == images
    assert encode_package(images) == package
    assert len(package) % 512 == 0


@QUICK
@given(package_images)
def test_python_s_tarfile_finds_plain_files_of_nobody(images: list[PackageImage]) -> None:
    with tarfile.open(fileobj=io.BytesIO(encode_package(images)), mode="r:") as archive:
        members = archive.getmembers()
        contents = [archive.extractfile(member) for member in members]
        assert [stream.read() for stream in contents if stream] == [
            encode_descriptor(images),
            *(image.content for image in images),
        ]
    assert [member.name for member in members] == ["_desc_", *(image.name for image in images)]
    for member in members:
        assert (member.type, member.mode, member.mtime) == (tarfile.REGTYPE, 0o644, 0)
        assert (member.uid, member.gid, member.uname, member.gname) == (0, 0, "", "")
        assert member.pax_headers == {}


def test_archive_is_no_longer_than_its_blocks() -> None:
    """tarfile itself pads to ten kilobytes, which a device would download."""
    blocks = sum(1 + -(-len(image.content) // 512) for image in TWO) + 2
    assert len(encode_package(TWO)) == 512 * (blocks + 2)


@pytest.mark.parametrize(
    ("images", "field"),
    [
        ([TWO[0]], None),
        ([], None),
        ([PackageImage(f"i{n}", b"v", b"") for n in range(256)], None),
        ([TWO[0], TWO[0]], "sub-comp-name"),
        ([TWO[0], PackageImage("_desc_", b"v", b"")], "sub-comp-name"),
        ([TWO[0], PackageImage("..", b"v", b"")], "sub-comp-name"),
        ([TWO[0], PackageImage(".", b"v", b"")], "sub-comp-name"),
        ([TWO[0], PackageImage("a/b", b"v", b"")], "sub-comp-name"),
        ([TWO[0], PackageImage("", b"v", b"")], "sub-comp-name"),
        ([TWO[0], PackageImage("\u00e4", b"v", b"")], "sub-comp-name"),
        ([TWO[0], PackageImage("x\n", b"v", b"")], "sub-comp-name"),
        ([TWO[0], PackageImage("x" * 101, b"v", b"")], "sub-comp-name"),
        ([TWO[0], PackageImage("x", b"", b"")], "vendor-data"),
    ],
)
def test_unusable_images_are_refused(images: list[PackageImage], field: str | None) -> None:
    with pytest.raises(PackageError) as caught:
        encode_package(images)
    assert caught.value.field == field


def test_as_many_images_as_the_descriptor_can_count() -> None:
    images = [PackageImage(f"i{n}", b"v", bytes([n])) for n in range(255)]
    assert decode_package(encode_package(images)) == images


def test_every_changed_byte_of_the_descriptor_is_noticed() -> None:
    """Whatever is changed in ``_desc_``, the package is refused or says something else."""
    package = encode_package(TWO)
    start = 512
    for index in range(start, start + len(encode_descriptor(TWO))):
        changed = package[:index] + bytes([package[index] ^ 1]) + package[index + 1 :]
        try:
            found = decode_package(changed)
        except FormatError:
            continue
        assert found != TWO
