"""Are records and marks of a store what was written; restore them from the index."""

from __future__ import annotations

from collections.abc import Mapping

from fotabuild.errors import StoreDamageError
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.contents import Listing, list_names, sound
from fotabuild.releases.findings import Finding, Problem
from fotabuild.releases.layout import RECORDS, mark_name
from fotabuild.releases.record import encode_mark, encode_record, read_mark, read_record
from fotabuild.releases.release import Entry, Release
from fotabuild.releases.storage import Storage

Files = Mapping[str, bytes | StoreDamageError]


def check_texts(
    storage: Storage,
    known: Mapping[str, Entry],
    findings: list[Finding],
    *,
    heal: bool,
    grace: float,
) -> dict[str, Entry]:
    """Return what the index must say, by record.

    Args:
        storage: where the store is.
        known: what the index says.
        findings: what is found is added here.
        heal: whether to restore what can be restored.
        grace: seconds for which a mark without a record is left alone.
    """
    # After the index: so every record that it knows was there.
    listing = list_names(storage)
    marks = {
        record: mark_name(record, number)
        for record, number in listing.marks.items()
        if number % 2 and (record in listing.records or record in known)
    }
    files = storage.read_all(
        sorted(listing.records.union(marks.values())), READ_LIMITS.release_record
    )
    entries = {}
    for record in sorted(listing.records | known.keys()):
        release = _check_record(storage, record, files, known, findings, heal)
        if release is not None:
            retired = _check_mark(storage, release, listing, files, known, findings, heal)
            entries[record] = Entry.of(release, retired)
    strays = {
        record: number
        for record, number in listing.marks.items()
        if record not in listing.records and record not in known
    }
    if strays:
        _remove_strays(storage, strays, findings, heal=heal, grace=grace)
    return entries


def _remove_strays(
    storage: Storage,
    strays: Mapping[str, int],
    findings: list[Finding],
    *,
    heal: bool,
    grace: float,
) -> None:
    """Remove old marks without a record.

    A list of names comes in pages: one may have a mark whose record the page before it missed. So
    names and ages are asked for again.
    """
    files = storage.names(RECORDS)
    for record, number in strays.items():
        name = mark_name(record, number)
        if record in files or name not in files:
            continue
        gone = heal and files[name] >= grace
        for each in range(1, number + 1) if gone else ():
            storage.remove(mark_name(record, each))
        findings.append(Finding(Problem.STRAY_MARK, name, "no such release", gone, True))


def _check_record(
    storage: Storage,
    record: str,
    files: Files,
    known: Mapping[str, Entry],
    findings: list[Finding],
    heal: bool,
) -> Release | None:
    """Return the release of a record; None if neither that nor the index can say."""
    kind, detail = Problem.LOST_RECORD, "the index knows this release, its record is gone"
    if record in files:
        try:
            return read_record(record, sound(files[record]))
        except StoreDamageError as error:
            kind, detail = Problem.DAMAGED_RECORD, error.problem
    entry = known.get(record)
    if entry is None:
        detail += "; the index does not know it"
    elif heal:
        storage.write(record, encode_record(entry.release))
    healable = entry is not None
    findings.append(Finding(kind, record, detail, heal and healable, healable=healable))
    return None if entry is None else entry.release


def _check_mark(
    storage: Storage,
    release: Release,
    listing: Listing,
    files: Files,
    known: Mapping[str, Entry],
    findings: list[Finding],
    heal: bool,
) -> str | None:
    """Return since when a release is retired."""
    record = Entry.of(release).record
    number = listing.marks.get(record, 0)
    noted = known[record].retired if record in known else None
    if number % 2 == 0 and (number or noted is None):
        return None
    name = mark_name(record, number or 1)
    kind, detail = Problem.LOST_MARK, "the index says that this release is retired"
    if number:
        try:
            return read_mark(sound(files.get(name, b"")))
        except StoreDamageError as error:
            kind, detail = Problem.DAMAGED_MARK, error.problem
    # By its name alone a mark says that the release is retired.
    since = release.date if noted is None else noted
    if heal:
        storage.write(name, encode_mark(since))
    findings.append(Finding(kind, name, f"{detail}; taken as {since}", heal))
    return since
