"""What a patch is made from: two images, and where their symbols are."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from fotabuild.errors import DeltaError, PrecursorMarkerError, in_file
from fotabuild.files.reading import read_file
from fotabuild.formats.no_image import is_elf, other_kind
from fotabuild.formats.patch_stream import MAGIC, find_markers
from fotabuild.limits import READ_LIMITS

#: How a release gets the full image instead of a delta.
FULL_IMAGE_HOW = "delta: false in its entry, or leave it out of the store's deltas"

if TYPE_CHECKING:
    from fotabuild.delta.hints import ImageHints
    from fotabuild.formats.elf_symbols import ElfMap


class DeltaInputs(NamedTuple):
    """What a patch is made from; no device refuses it.

    Attributes:
        old: the old image.
        new: the new image.
        old_map: sections and symbols of the old image; None without its ELF file.
        new_map: those of the new image.
        hints: the symbols of both, as the encoder takes them; None unless there are both.
    """

    old: bytes
    new: bytes
    old_map: ElfMap | None
    new_map: ElfMap | None
    hints: ImageHints | None


def read_delta_inputs(
    old_image: Path,
    new_image: Path,
    old_elf: Path | None,
    new_elf: Path | None,
    check: Callable[[bytes], None],
) -> DeltaInputs:
    """Read both images and their linked files, and check that there can be a patch.

    Args:
        old_image: the image as installed on devices.
        new_image: the image after the update.
        old_elf: the linked file of the old image, if known.
        new_elf: that of the new image.
        check: raises if the old image is not the expected one.

    Raises:
        FotabuildError: an input cannot be read, or no device could apply a patch to it.
    """
    old = read_file(old_image, READ_LIMITS.image, "old image")
    new = read_file(new_image, READ_LIMITS.image, "new image")
    for path, image in ((old_image, old), (new_image, new)):
        with in_file(path):
            refuse_other(image, path)
    with in_file(old_image):
        check(old)
        _check_marker(old)
    old_map, new_map = _read_map(old_elf, old), _read_map(new_elf, new)
    return DeltaInputs(old, new, old_map, new_map, _hints(old_map, new_map))


def read_linked(path: Path) -> bytes:
    """Return a linked file, or the flat image that stands in its place."""
    return read_file(path, READ_LIMITS.image, "linked file")


def _read_map(path: Path | None, image: bytes) -> ElfMap | None:
    """Return where the symbols of ``image`` are; None if there is no ELF file."""
    if path is None:
        return None
    elf = read_linked(path)
    from fotabuild.formats.elf_symbols import read_map

    if not is_elf(elf):
        return None
    with in_file(path):
        found = read_map(elf)
        found.check_image(image)
    return found


def _hints(old: ElfMap | None, new: ElfMap | None) -> ImageHints | None:
    if old is None or new is None:
        return None
    from fotabuild.delta.hints import ImageHints, Symbol  # Most patches are made without.

    old_symbols, new_symbols = (
        tuple(Symbol(item.name, item.offset, item.size) for item in found.symbols)
        for found in (old, new)
    )
    return ImageHints(old_symbols, new_symbols)


def refuse_other(image: bytes, path: Path) -> None:
    """Refuse what cannot be on a device.

    Args:
        image: what should be an image.
        path: its file.

    Raises:
        DeltaError: it is an ELF file, a patch or a manifest.
    """
    kind = other_kind(image)
    if kind is not None:
        remedy = "give the image as installed"
        if is_elf(image):
            made = f"fotabuild image {path.name} -o {path.stem}.bin"
            remedy = f"make the image with '{made}', and give that"
        raise DeltaError(
            f"this is {kind}, a delta is between images as devices have them", remedy=remedy
        )


def _check_marker(old: bytes) -> None:
    if not old:
        raise DeltaError("the old image is empty", remedy="give the image as installed")
    markers = find_markers(old)
    if not markers:
        raise PrecursorMarkerError(
            f"the old image carries no patch decoder (no marker {MAGIC.decode()})",
            remedy=f"this release cannot apply deltas, send it the full image: {FULL_IMAGE_HOW}",
        )
    if markers != [MAGIC]:
        found = ", ".join(marker.decode() for marker in markers)
        raise PrecursorMarkerError(
            f"the old image carries {found}, needed is {MAGIC.decode()} alone",
            remedy=f"its decoder may read another format, send it the full image: {FULL_IMAGE_HOW}",
        )
