"""``fotabuild release add`` and ``import``."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.output import Output
from fotabuild.cli.release_store import component_of, date_of, entry_values, now, open_store
from fotabuild.errors import ExitStatus, UsageError, printable


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
    release = new.release()
    output.say(f"{release.title}: {'added' if added else 'was there already'}")
    values = entry_values(store.find(component, args.fw_version))
    output.result({"release": values, "added": added}, release.digest)
    return ExitStatus.OK


def run_import(args: argparse.Namespace, output: Output) -> int:
    """Add all releases of a CSV."""
    from fotabuild.releases.importing import read_import

    store, component = open_store(args), component_of(args)
    folder = args.folder or args.table.parent
    found = read_import(args.table, folder, component, now(), _read)
    results = store.add_all([source for _, source in found])
    added = [title for (title, _), is_new in zip(found, results, strict=True) if is_new]
    output.say(f"{len(added)} of {len(found)} releases added, the others were there already")
    output.result({"releases": len(found), "added": added}, "\n".join(map(printable, added)))
    return ExitStatus.OK


def _read(path: Path, what: str) -> bytes:
    """Read a file for a store, and refuse what people give by mistake."""
    from fotabuild.files import read_file
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
