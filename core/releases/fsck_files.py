"""Are images and other files of a store what was added; remove those that nobody needs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from fotabuild.errors import StoreDamageError
from fotabuild.releases.contents import read_contents
from fotabuild.releases.findings import Finding, Problem
from fotabuild.releases.layout import BLOBS, TEMPORARY, blob_name
from fotabuild.releases.release import Entry
from fotabuild.releases.store import ReleaseStore


def check_files(store: ReleaseStore, entries: Mapping[str, Entry], findings: list[Finding]) -> None:
    """Compare every image, manifest and ELF file of the releases with its digest."""
    users: dict[str, str] = {}
    for entry in entries.values():
        for digest in entry.release.digests:
            users.setdefault(digest, entry.release.title)
    there = store.storage.names(BLOBS)
    for digest, title in sorted(users.items(), key=lambda item: item[1]):
        name = blob_name(digest)
        if name not in there:
            findings.append(Finding(Problem.MISSING_BLOB, name, f"of {title}", healable=False))
            continue
        try:
            store.blob(digest, title)
        except StoreDamageError as error:
            findings.append(Finding(Problem.DAMAGED_BLOB, name, error.problem, healable=False))


def remove_unused(
    store: ReleaseStore, findings: list[Finding], *, heal: bool, grace: float
) -> None:
    """Remove what killed writers left and what no release names, when it is old enough.

    Reading all images may have taken hours, and where there are no locks others add releases
    meanwhile. So names and ages are asked for again before each removal: a release that is being
    added makes the age of its files new before it names them.

    Args:
        store: the store.
        findings: what is found is added here.
        heal: whether to remove anything.
        grace: seconds for which such files are left alone.
    """
    files = store.storage.names("")
    contents = read_contents(store.storage)
    needed = _needed(contents.known.values())
    for name, age in sorted(files.items()):
        leftover = name.endswith(TEMPORARY)
        if not leftover and (not name.startswith(f"{BLOBS}/") or name in needed):
            continue
        detail = "left by a killed process" if leftover else "no release names it"
        gone = False
        if heal and age >= grace:
            gone = leftover or _is_unused(store, name, grace)
            if gone:
                store.storage.remove(name)
        findings.append(Finding(Problem.UNUSED_FILE, name, detail, gone, True))


def _is_unused(store: ReleaseStore, name: str, grace: float) -> bool:
    """Look once more. A record that nobody can read may name the file: then it stays."""
    age = store.storage.names(name.rpartition("/")[0]).get(name)
    contents = read_contents(store.storage)
    unknown = contents.damaged.keys() & contents.listing.records
    return (
        age is not None
        and age >= grace
        and not unknown
        and name not in _needed(contents.known.values())
    )


def _needed(entries: Iterable[Entry]) -> set[str]:
    return {blob_name(digest) for entry in entries for digest in entry.release.digests}
