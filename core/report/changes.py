"""What an update changes by section and symbol, where somebody gives the linked ELF files."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path

from fotabuild.errors import ElfError, in_file
from fotabuild.explain.explanation import explain
from fotabuild.explain.pictures import COLOURS, bars_picture, map_picture
from fotabuild.files.reading import read_file
from fotabuild.formats.elf_image import MAGIC
from fotabuild.formats.elf_symbols import ElfMap, read_map
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader
from fotabuild.limits import READ_LIMITS
from fotabuild.report.folder import ReleaseFolder
from fotabuild.report.model import Change, Update

_BARS = 20
_PARTS = 100


def explain_updates(
    updates: Iterable[Update], folder: ReleaseFolder, new_elf: Path, old_elfs: Mapping[str, Path]
) -> tuple[Change, ...]:
    """Return what each delta of the folder changes.

    Args:
        updates: what manifests bring; those without a patch in the folder are left out, and of
            several manifests for one patch all but the first.
        folder: the folder.
        new_elf: the linked file of the new image.
        old_elfs: linked files of older releases by version, to tell what is new and what grew.

    Raises:
        ElfError: an ELF file is damaged, or not that of its image.
    """
    new_map = _read_map(new_elf)
    found: dict[str, Change] = {}
    checked: set[int] = set()
    for update in updates:
        name = update.patch
        if name is None or name in found:
            continue
        artifact = folder.named(name)
        assert artifact is not None
        patch = read_file(artifact.path, READ_LIMITS.patch, "patch")
        if update.image_size not in checked:
            checked.add(update.image_size)
            with in_file(new_elf):
                _check_image(new_map, update.image_size, folder)
        old_elf = old_elfs.get(update.since or "")
        found[name] = _explain(
            update, name, patch, new_map, None if old_elf is None else _read_map(old_elf)
        )
    return tuple(found.values())


def _check_image(new_map: ElfMap, size: int, folder: ReleaseFolder) -> None:
    """Refuse symbols of another image, where the image is in the folder."""
    problem = None
    for artifact in folder.artifacts:
        if artifact.size == size:
            try:
                new_map.check_image(read_file(artifact.path, READ_LIMITS.image, "image"))
            except ElfError as error:
                problem = error
            else:
                return
    if problem is not None:
        raise problem


def has_symbols(path: Path) -> bool:
    """Return whether a file is a linked one: builds may hand us flat images in their place."""
    return read_file(path, READ_LIMITS.image, "linked file").startswith(MAGIC)


def _explain(
    update: Update, name: str, patch: bytes, new_map: ElfMap, old_map: ElfMap | None
) -> Change:
    header = PatchHeader.decode(patch[:HEADER_SIZE])
    explanation = explain(
        patch, update.image_size, header.block_size, new_map=new_map, old_map=old_map
    )
    values = explanation.to_values()
    values["parts"] = values["parts"][:_PARTS]
    return Change(
        since=update.since or "?",
        patch=name,
        values=values,
        pictures=(
            ("Along the image, from its first byte to its last", map_picture(explanation)),
            ("The most expensive symbols", bars_picture(explanation.parts[:_BARS])),
        ),
        legend=tuple((cause.value, colour) for cause, colour in COLOURS.items()),
    )


def _read_map(path: Path) -> ElfMap:
    data = read_file(path, READ_LIMITS.image, "ELF file")
    with in_file(path):
        return read_map(data)
