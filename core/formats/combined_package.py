"""Combined packages: several images in one tar with a DER descriptor (combined-package spec)."""

from __future__ import annotations

import io
import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

from pyasn1.type import char, namedtype, univ

from fotabuild.errors import FormatError, PackageError
from fotabuild.formats import der
from fotabuild.limits import READ_LIMITS

DESCRIPTOR_NAME = "_desc_"
MIN_IMAGES = 2
MAX_IMAGES = 255
_NAME_PATTERN = re.compile(r"[0-9a-zA-Z_.-]{1,100}")
_RESERVED_NAMES = (DESCRIPTOR_NAME, ".", "..")
_BLOCK = tarfile.BLOCKSIZE
_END = bytes(2 * _BLOCK)
# Writers of pax archives put dates there; anything else could rename or resize a member.
_HARMLESS_PAX_KEYS = {"mtime", "atime", "ctime"}


@dataclass(frozen=True)
class PackageImage:
    """One image of a package.

    Attributes:
        name: the sub-component that it is for; also its member name.
        vendor_data: handed to that sub-component's installer, 1 or more bytes.
        content: the image.
    """

    name: str
    vendor_data: bytes
    content: bytes


_IMAGE_DESCRIPTOR = der.sequence(
    namedtype.NamedType("id", char.UTF8String()),
    namedtype.NamedType("vendor-data", univ.OctetString()),
    namedtype.NamedType("vendor-data-size", univ.Integer()),
    namedtype.NamedType("image-size", univ.Integer()),
)
_DESCRIPTOR = der.sequence(
    namedtype.NamedType("num-of-images", univ.Integer()),
    namedtype.NamedType("descriptors-array", univ.SequenceOf(componentType=_IMAGE_DESCRIPTOR)),
)


def encode_descriptor(images: Sequence[PackageImage]) -> bytes:
    """Return the DER of the descriptor member."""
    descriptors = [
        {
            "id": image.name,
            "vendor-data": image.vendor_data,
            "vendor-data-size": len(image.vendor_data),
            "image-size": len(image.content),
        }
        for image in images
    ]
    return der.encode(_DESCRIPTOR, {"num-of-images": len(images), "descriptors-array": descriptors})


def encode_package(images: Sequence[PackageImage]) -> bytes:
    """Return the archive: the descriptor, then the images in the given order.

    Plain ustar headers with fixed owner, mode and date, so that equal images give equal bytes.

    Raises:
        PackageError: names that repeat or are reserved, empty vendor data, a wrong count.
    """
    check_images([(image.name, image.vendor_data) for image in images])
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for name, content in (
            (DESCRIPTOR_NAME, encode_descriptor(images)),
            *((image.name, image.content) for image in images),
        ):
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        end = archive.offset
    # tarfile pads to ten kilobytes, which a device would have to download.
    return buffer.getvalue()[:end] + _END


def check_images(images: Sequence[tuple[str, bytes]]) -> None:
    """Check names and vendor data of the images of a package.

    Raises:
        PackageError: with the sub-component in the field.
    """
    if not MIN_IMAGES <= len(images) <= MAX_IMAGES:
        raise PackageError(
            f"a combined package holds {MIN_IMAGES} to {MAX_IMAGES} images, not {len(images)}"
        )
    seen: set[str] = set()
    for name, vendor_data in images:
        if not _NAME_PATTERN.fullmatch(name) or name in _RESERVED_NAMES:
            raise PackageError(
                f"{name[:40]!r} cannot name a sub-component",
                field="sub-comp-name",
                remedy="use letters, digits, '_', '.' and '-'",
            )
        if name in seen:
            raise PackageError(f"{name!r} stands for two images", field="sub-comp-name")
        seen.add(name)
        if not vendor_data:
            raise PackageError(f"{name!r} has no vendor data", field="vendor-data")


def decode_package(data: bytes) -> list[PackageImage]:
    """Read a package and compare its members with its descriptor.

    Raises:
        PackageError: not a plain tar, links or other special members, unsafe or repeated names,
            a missing or contradicting descriptor, data behind the end.
        DerError: the descriptor is not DER of its schema.
    """
    members = _read_members(data)
    if not members or members[0][0] != DESCRIPTOR_NAME:
        raise PackageError(f"the first member is not {DESCRIPTOR_NAME!r}", offset=0)
    _, descriptor_offset, descriptor = members.pop(0)
    if len(descriptor) > READ_LIMITS.package_descriptor:
        raise PackageError(
            f"{len(descriptor)} bytes, the limit is {READ_LIMITS.package_descriptor}",
            field=DESCRIPTOR_NAME,
        )
    try:
        described = der.decode(descriptor, _DESCRIPTOR).values
    except FormatError as error:
        error.field = f"{DESCRIPTOR_NAME}.{error.field}" if error.field else DESCRIPTOR_NAME
        error.offset = descriptor_offset + (error.offset or 0)
        raise
    entries = described["descriptors-array"]
    for what, count in (("num-of-images", len(entries)), ("number of members", len(members))):
        if described["num-of-images"] != count:
            raise PackageError(
                f"the descriptor announces {described['num-of-images']} images, found {count}",
                field=what,
            )
    images = []
    for entry, (name, offset, content) in zip(entries, members, strict=True):
        for field, announced, found in (
            ("id", entry["id"], name),
            ("image-size", entry["image-size"], len(content)),
            ("vendor-data-size", entry["vendor-data-size"], len(entry["vendor-data"])),
        ):
            if announced != found:
                raise PackageError(
                    f"the descriptor says {announced!r}, the member {name!r} has {found!r}",
                    field=field,
                    offset=offset,
                )
        images.append(PackageImage(name, entry["vendor-data"], content))
    check_images([(image.name, image.vendor_data) for image in images])
    return images


def _read_members(data: bytes) -> list[tuple[str, int, bytes]]:
    """Return name, offset of the content and content of every member."""
    members: list[tuple[str, int, bytes]] = []
    if len(data) >= _BLOCK and not any(data[:_BLOCK]):
        return members  # An end without members, at which tarfile stumbles in Python 3.10.
    end = 0
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:") as archive:
            while (member := archive.next()) is not None:
                if len(members) == READ_LIMITS.package_members:
                    raise PackageError(f"more than {len(members)} members", offset=member.offset)
                content = _check_member(member, data, end)
                if member.name in {name for name, _, _ in members}:
                    raise PackageError(
                        f"two members are named {member.name!r}", offset=member.offset
                    )
                members.append((member.name, member.offset_data, content))
                end = member.offset_data + -(-member.size // _BLOCK) * _BLOCK
    except (tarfile.TarError, ValueError, OverflowError, EOFError, RecursionError) as error:
        raise PackageError(f"not a plain tar archive: {error}", offset=end) from None
    tail = data[end:]
    if len(tail) < len(_END) or tail.count(0) != len(tail) or len(tail) % _BLOCK:
        raise PackageError(
            "behind the last member stand not just the zero blocks that end an archive", offset=end
        )
    return members


def _check_member(member: tarfile.TarInfo, data: bytes, start: int) -> bytes:
    """Return the content of the member whose first header should begin at ``start``."""

    def fail(problem: str) -> PackageError:
        return PackageError(problem, field=member.name[:60], offset=member.offset)

    if member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or member.issparse():
        raise fail("only regular files are allowed, this is a link, folder or special file")
    if set(member.pax_headers) - _HARMLESS_PAX_KEYS:
        raise fail("the member has extended attributes")
    if not _NAME_PATTERN.fullmatch(member.name) or member.name in (".", ".."):
        raise fail("this name is not a plain file name")
    if member.offset != start or member.offset_data != _content_offset(data, start):
        raise fail("headers of an extension stand before this member")
    content = data[member.offset_data : member.offset_data + member.size]
    if member.size < 0 or len(content) != member.size:
        raise fail(f"the member claims {member.size} bytes, {len(content)} are left")
    end = member.offset_data + member.size
    if any(data[end : end + -end % _BLOCK]):
        raise fail("the block behind the content is not filled up with zeros")
    return content


def _content_offset(data: bytes, start: int) -> int:
    """Return where a member's content begins with one header, or with a pax header before it."""
    header = tarfile.TarInfo.frombuf(data[start : start + _BLOCK], "ascii", "surrogateescape")
    if header.type == tarfile.XHDTYPE:
        start += _BLOCK + -(-header.size // _BLOCK) * _BLOCK
    return start + _BLOCK
