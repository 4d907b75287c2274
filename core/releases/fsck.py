"""Check a whole store, and heal what can be healed."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from dataclasses import dataclass

from fotabuild.errors import FotabuildError, ReleaseError
from fotabuild.files import sha256
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.record import Entry, Release, encode
from fotabuild.releases.store import (
    BLOBS,
    INDEX,
    RECORDS,
    RETIRED,
    ReleaseStore,
    blob_name,
    note_of,
    read_note,
    read_record,
    record_name,
)

#: A file that nothing names may belong to a release that is being added elsewhere right now.
GRACE_SECONDS = 24 * 3600


class Problem(enum.Enum):
    """What can be wrong with a file of a store."""

    DAMAGED_RECORD = "damaged-record"
    LOST_RECORD = "lost-record"
    DAMAGED_NOTE = "damaged-note"
    STRAY_NOTE = "stray-note"
    MISSING_BLOB = "missing-blob"
    DAMAGED_BLOB = "damaged-blob"
    OUTDATED_INDEX = "outdated-index"
    UNUSED_FILE = "unused-file"


@dataclass(frozen=True)
class Finding:
    """One problem.

    Attributes:
        problem: its kind.
        name: the file in the store.
        detail: what is wrong.
        healed: whether it is gone now.
        harmless: whether releases are all right in spite of it.
    """

    problem: Problem
    name: str
    detail: str
    healed: bool = False
    harmless: bool = False


def check_store(
    store: ReleaseStore, *, heal: bool = True, grace: float = GRACE_SECONDS
) -> tuple[int, list[Finding]]:
    """Read everything in a store and compare it with its digests.

    Damaged records are restored from the index and the other way round. A damaged image cannot be
    restored from the store alone: adding the release again heals it.

    Args:
        store: the store.
        heal: whether to change anything.
        grace: seconds for which files that nothing names are left alone.

    Returns:
        The number of releases that were checked, and what was wrong.
    """
    with store.storage.alone():
        findings: list[Finding] = []
        try:
            index = store.index()
        except ReleaseError:
            index = None
        known = {} if index is None else {_record(e.release): e for e in index.entries}
        releases = dict(_check_records(store, known, findings, heal))
        notes = _check_notes(store, releases, known, findings, heal)
        entries = {name: Entry.of(r, notes.get(note_of(name))) for name, r in releases.items()}
        _check_blobs(store, releases, findings, heal, grace)
        if index is None and not entries:
            return 0, findings
        if known != entries:
            if heal and all(f.healed or f.problem in _OF_BLOBS for f in findings if not f.harmless):
                store.rebuild_index()
                healed = True
            else:
                healed = False
            detail = "not made from these records" if index else "missing or damaged"
            findings.append(Finding(Problem.OUTDATED_INDEX, INDEX, detail, healed))
    return len(releases), findings


_OF_BLOBS = (Problem.MISSING_BLOB, Problem.DAMAGED_BLOB)


def _record(release: Release) -> str:
    return record_name(RECORDS, release.component, release.version)


def _check_records(
    store: ReleaseStore, known: dict[str, Entry], findings: list[Finding], heal: bool
) -> Iterator[tuple[str, Release]]:
    """Yield the sound releases, those restored from the index among them."""
    names = {name for name in store.storage.names(RECORDS) if name.endswith(".json")}
    for name in sorted(names | set(known)):
        data = store.storage.read(name, READ_LIMITS.release_record) if name in names else None
        kind, detail = Problem.LOST_RECORD, "the index knows this release, its record is gone"
        if data is not None:
            try:
                yield name, read_record(name, data)
                continue
            except FotabuildError as error:
                kind, detail = Problem.DAMAGED_RECORD, error.problem
        entry = known.get(name)
        if entry is not None and heal:
            store.storage.write(name, encode(Entry.of(entry.release)))
        findings.append(Finding(kind, name, detail, heal and entry is not None))
        if entry is not None:
            yield name, entry.release


def _check_notes(
    store: ReleaseStore,
    releases: dict[str, Release],
    known: dict[str, Entry],
    findings: list[Finding],
    heal: bool,
) -> dict[str, str]:
    """Return since when releases are retired."""
    owners = {note_of(name): name for name in releases}
    notes = {}
    for note in sorted(name for name in store.storage.names(RETIRED) if name.endswith(".json")):
        data = store.storage.read(note, READ_LIMITS.release_record) or b""
        if note not in owners:
            if heal:
                store.storage.remove(note)
            findings.append(Finding(Problem.STRAY_NOTE, note, "no such release", heal, True))
            continue
        try:
            notes[note] = read_note(data)
        except FotabuildError as error:
            entry = known.get(owners[note])
            date = None if entry is None else entry.retired
            if date is not None and heal:
                store.storage.write(note, date.encode() + b"\n")
            if date is not None:
                notes[note] = date
            healed = heal and date is not None
            findings.append(Finding(Problem.DAMAGED_NOTE, note, error.problem, healed))
    return notes


def _check_blobs(
    store: ReleaseStore,
    releases: dict[str, Release],
    findings: list[Finding],
    heal: bool,
    grace: float,
) -> None:
    users: dict[str, str] = {}
    for release in releases.values():
        for digest in release.digests:
            users.setdefault(digest, release.title)
    files = store.storage.names("")
    for digest, title in sorted(users.items(), key=lambda item: item[1]):
        name = blob_name(digest)
        data = store.storage.read(name, READ_LIMITS.image) if name in files else None
        if data is None:
            findings.append(Finding(Problem.MISSING_BLOB, name, f"of {title}"))
        elif sha256(data).hex() != digest:
            findings.append(Finding(Problem.DAMAGED_BLOB, name, f"of {title}"))
    wanted = {blob_name(digest) for digest in users}
    for name, age in sorted(files.items()):
        leftover = name.endswith(".tmp")
        if leftover or (name.startswith(f"{BLOBS}/") and name not in wanted):
            gone = heal and age >= grace
            if gone:
                store.storage.remove(name)
            what = "left by a killed process" if leftover else "no release names it"
            findings.append(Finding(Problem.UNUSED_FILE, name, what, gone, True))
