"""``fotabuild release add`` and ``import``."""

from __future__ import annotations

import argparse
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.output import Output
from fotabuild.cli.release_store import component_of, date_of, entry_values, now, open_store
from fotabuild.errors import ExitStatus, UsageError, printable

if TYPE_CHECKING:
    from fotabuild.releases.store import ReleaseStore


def run_add(args: argparse.Namespace, output: Output) -> int:
    """Add one release."""
    from fotabuild.releases.new_release import NewRelease

    store, component = open_store(args), component_of(args)
    new = NewRelease(
        version=args.fw_version,
        component=component,
        date=date_of(args),
        image=_read(args.image, "image"),
        manifest=args.manifest and _read(args.manifest, "manifest"),
        elf=args.elf and _read(args.elf, "elf"),
        origin=_origin(args.origin),
    )
    added = store.add(new)
    title = f"{component} {args.fw_version}"
    state = "added" if added else "was there already; its files are whole"
    output.say(f"{title}: {state}")
    _tell(output, store, [title], [title] if added else [])
    entry = store.find(component, args.fw_version)
    output.result({"release": entry_values(entry), "added": added}, entry.release.digest)
    return ExitStatus.OK


def run_import(args: argparse.Namespace, output: Output) -> int:
    """Add all releases of a CSV."""
    from fotabuild.releases.importing import read_import

    store, component = open_store(args), component_of(args)
    folder = args.folder or args.table.parent
    found = read_import(args.table, folder, component, now(), _read)
    results = store.add_all([source for _, source in found])
    added = [title for (title, _), is_new in zip(found, results, strict=True) if is_new]
    others = "; the others were there already, their files are whole"
    is_all = len(added) == len(found)
    output.say(f"{len(added)} of {len(found)} releases added{'' if is_all else others}")
    _tell(output, store, [title for title, _ in found], added)
    output.result({"releases": len(found), "added": added}, "\n".join(map(printable, added)))
    return ExitStatus.OK


def _tell(
    output: Output, store: ReleaseStore, titles: Collection[str], added: Collection[str]
) -> None:
    """Tell people what may surprise them about releases that they gave, some of them new."""
    contents = store.contents()
    entries = {entry.release.title: entry for entry in contents.entries}
    if added and contents.listing.records == {entries[t].record for t in added if t in entries}:
        output.say(f"a new store was started at {store.storage.place}")
    for title in titles:
        if title in entries and not entries[title].release.takes_patches:
            output.warn(
                f"{title}: its image has no patch decoder, so it gets the full image and no delta"
            )


def _read(path: Path, what: str) -> bytes:
    """Read a file for a store, and refuse what people give by mistake."""
    from fotabuild.files.reading import read_file
    from fotabuild.formats.elf_image import MAGIC
    from fotabuild.inspection import is_private_key
    from fotabuild.limits import READ_LIMITS

    kind = what.partition(" ")[0]
    limit = READ_LIMITS.manifest if kind == "manifest" else READ_LIMITS.image
    data = read_file(path, limit, what)
    if is_private_key(data):
        raise UsageError(f"{path} is a private key: everybody who builds can read a release store")
    if kind == "image" and data.startswith(MAGIC):
        raise UsageError(
            f"{path} is an ELF file: add the flat image that devices have, and give this as its "
            "ELF file"
        )
    return data


def _origin(texts: list[str]) -> dict[str, str]:
    origin: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not (separator and name and value) or name in origin:
            raise UsageError(f"--origin needs NAME=VALUE, each name once, not {text!r}")
        origin[name] = value
    return origin
