"""``fotabuild release add`` and ``import``."""

from __future__ import annotations

import argparse
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.output import Output
from fotabuild.cli.release_store import component_of, date_of, entry_values, now, open_store
from fotabuild.errors import ExitStatus, UsageError, printable

if TYPE_CHECKING:
    from fotabuild.releases.new_release import ReleaseSource
    from fotabuild.releases.release import Entry
    from fotabuild.releases.store import ReleaseStore

_NO_DECODER = "its image has no patch decoder, so it gets the full image and no delta"


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
    if args.dry_run:
        [(entry, added)] = _foresee(output, store, [lambda: new])
        values = {"dry-run": True, "release": entry_values(entry), "added": added}
        output.result(values, entry.release.digest)
        return ExitStatus.OK
    added = store.add(new)
    title = f"{component} {args.fw_version}"
    state = "added" if added else "was there already; its files are whole"
    output.say(f"{title}: {state}")
    _tell(output, store, [title], [title] if added else [])
    entry = store.find(component, args.fw_version)
    values = {"dry-run": False, "release": entry_values(entry), "added": added}
    output.result(values, entry.release.digest)
    return ExitStatus.OK


def run_import(args: argparse.Namespace, output: Output) -> int:
    """Add all releases of a CSV."""
    from fotabuild.releases.importing import read_import

    store, component = open_store(args), component_of(args)
    folder = args.folder or args.table.parent
    found = read_import(args.table, folder, component, now(), _read)
    titles, sources = [title for title, _ in found], [source for _, source in found]
    if args.dry_run:
        results = [is_new for _, is_new in _foresee(output, store, sources)]
    else:
        results = list(store.add_all(sources))
    added = [title for title, is_new in zip(titles, results, strict=True) if is_new]
    if not args.dry_run:
        others = "; the others were there already, their files are whole"
        is_all = len(added) == len(found)
        output.say(f"{len(added)} of {len(found)} releases added{'' if is_all else others}")
        _tell(output, store, titles, added)
    values = {"dry-run": args.dry_run, "releases": len(found), "added": added}
    output.result(values, "\n".join(map(printable, added)))
    return ExitStatus.OK


def _foresee(
    output: Output, store: ReleaseStore, sources: Sequence[ReleaseSource]
) -> tuple[tuple[Entry, bool], ...]:
    """Say what adding releases would do, and what may surprise people about it."""
    found = store.foresee_all(sources)
    for entry, is_new in found:
        title = printable(entry.release.title)
        output.say(f"would add {title}" if is_new else f"{title}: is there already")
    for entry, _ in found:
        if not entry.release.takes_patches:
            output.warn(printable(f"{entry.release.title}: {_NO_DECODER}"))
    return found


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
            output.warn(f"{title}: {_NO_DECODER}")


def _read(path: Path, what: str) -> bytes:
    """Read a file for a store, and refuse what people give by mistake."""
    from fotabuild.files.reading import read_file
    from fotabuild.formats.no_image import is_elf, other_kind
    from fotabuild.inspection import is_private_key
    from fotabuild.limits import READ_LIMITS

    kind = what.partition(" ")[0]
    limit = READ_LIMITS.manifest if kind == "manifest" else READ_LIMITS.image
    data = read_file(path, limit, what)
    if is_private_key(data):
        raise UsageError(f"{path} is a private key: everybody who builds can read a release store")
    other = other_kind(data) if kind == "image" else None
    if other is not None:
        more = ", and give this as its ELF file" if is_elf(data) else ""
        raise UsageError(f"{path} is {other}: add the flat image that devices have{more}")
    return data


def _origin(texts: list[str]) -> dict[str, str]:
    origin: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not (separator and name and value) or name in origin:
            raise UsageError(f"--origin needs NAME=VALUE, each name once, not {text!r}")
        origin[name] = value
    return origin
