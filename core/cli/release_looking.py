"""``fotabuild release list``, ``show`` and ``verify``."""

from __future__ import annotations

import argparse
from typing import Any

from fotabuild.cli.output import Output
from fotabuild.cli.release_store import component_of, damage_of, entry_values, open_store
from fotabuild.errors import ExitStatus, StoreDamageError, printable


def run_list(args: argparse.Namespace, output: Output) -> int:
    """Print the releases; those that can be read, if some cannot."""
    store = open_store(args)
    contents = store.contents()
    entries = [
        entry
        for entry in contents.entries
        if (args.all or entry.retired is None) and args.component in (None, entry.release.component)
    ]
    lines = []
    for entry in entries:
        release = entry.release
        state = "" if entry.retired is None else f"  retired {entry.retired}"
        state += "" if release.takes_patches else "  no patch decoder"
        lines.append(
            f"{release.component:<9} {release.version:<12} {release.date}  {release.size:>10}  "
            f"{release.digest[:16]}{state}"
        )
    output.result(
        {"releases": [entry_values(entry) for entry in entries]}, "\n".join(map(printable, lines))
    )
    return _end(output, damage_of(contents, store.storage.place))


def run_show(args: argparse.Namespace, output: Output) -> int:
    """Print one release."""
    from fotabuild.releases.folder import FolderStorage
    from fotabuild.releases.layout import blob_name

    store = open_store(args)
    entry = store.find(component_of(args), args.version)
    values = entry_values(entry)
    name = blob_name(entry.release.digest)
    if isinstance(store.storage, FolderStorage):
        values["image"] = str(store.storage.path(name))
    else:
        values["image"] = f"{store.storage.place}/{name}"
    lines = [
        f"{key}: {value}" for key, value in values.items() if value is not None and key != "origin"
    ]
    lines += [f"origin: {key}={value}" for key, value in values["origin"].items()]
    output.result({"release": values}, "\n".join(map(printable, lines)))
    return ExitStatus.OK


def run_verify(args: argparse.Namespace, output: Output) -> int:
    """Compare files with their digests."""
    store = open_store(args)
    damage = None
    if args.versions:
        component = component_of(args)
        entries = [store.find(component, version) for version in args.versions]
    else:
        contents = store.contents()
        damage = damage_of(contents, store.storage.place)
        entries = [
            entry for entry in contents.entries if args.component in (None, entry.release.component)
        ]
    results: list[dict[str, Any]] = []
    for entry in entries:
        problem = None
        try:
            for digest in entry.release.digests:
                store.blob(digest, entry.release.title)
        except StoreDamageError as error:
            problem = str(error)
        results.append({"release": entry.release.title, "problem": problem})
    bad = [result for result in results if result["problem"]]
    lines = [f"{'ok' if r['problem'] is None else 'BAD':<4}{r['release']}" for r in results]
    output.result(
        {"sound": not bad and damage is None, "results": results}, "\n".join(map(printable, lines))
    )
    if bad:
        damage = StoreDamageError(
            f"{len(bad)} of {len(results)} releases are damaged: {bad[0]['problem']}"
        )
    return _end(output, damage)


def _end(output: Output, damage: StoreDamageError | None) -> int:
    if damage is None:
        return ExitStatus.OK
    output.fail(damage)
    return damage.exit_status
