"""What is in a store: its index, and what came since."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from fotabuild.errors import ReleaseError, StoreDamageError
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.layout import INDEX, RECORDS, mark_name, split_mark
from fotabuild.releases.record import FSCK, Index, decode, make_index, read_mark, read_record
from fotabuild.releases.release import Entry
from fotabuild.releases.storage import Storage


@dataclass(frozen=True)
class Listing:
    """The names of records and marks.

    Attributes:
        records: the records.
        marks: the highest number of a mark, by record.
    """

    records: frozenset[str]
    marks: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Contents:
    """What is in a store.

    Attributes:
        known: its releases by record, as far as they can be read.
        listing: the names from which this was made.
        damaged: what is wrong with records and marks that cannot be read, by name.
        index: the index as it was; None if there is none, or a damaged one.
    """

    known: Mapping[str, Entry]
    listing: Listing
    damaged: Mapping[str, StoreDamageError]
    index: bytes | None

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Its releases, sorted by component and version."""
        return make_index(self.known.values()).entries

    @property
    def empty(self) -> bool:
        """Whether there is no sign of a store."""
        return self.index is None and not self.known and not self.listing.records

    def require_sound(self) -> None:
        """Raise what is wrong with the first damaged record or mark.

        Raises:
            StoreDamageError: there is one.
        """
        for name, error in self.damaged.items():
            raise StoreDamageError(
                f"{len(self.damaged)} records or marks are damaged: {error.problem}",
                file=name,
                remedy=FSCK,
            )


def list_names(storage: Storage) -> Listing:
    """Return the names of records and marks.

    Raises:
        ReleaseError: more than a store has.
    """
    records = set()
    marks: dict[str, int] = {}
    for name in storage.names(RECORDS):
        mark = split_mark(name)
        if mark is not None:
            marks[mark[0]] = max(mark[1], marks.get(mark[0], 0))
        elif name.endswith(".json"):
            records.add(name)
    if len(records) > READ_LIMITS.releases:
        raise ReleaseError(f"more than {READ_LIMITS.releases} releases", file=storage.place)
    return Listing(frozenset(records), marks)


def read_contents(
    storage: Storage,
    *,
    trusted: bool = True,
    written: Mapping[str, Entry] = MappingProxyType({}),
    again: frozenset[str] = frozenset(),
) -> Contents:
    """Return what is in a store.

    Records never change. So what the index says of them is true, however old it is, and only what
    it lacks is read.

    Args:
        storage: where the store is.
        trusted: False to read all records and the marks that count.
        written: releases whose records the caller wrote, as they are in the field.
        again: records whose marks are read even if the index knows a date.

    Raises:
        ReleaseError: the store is of a newer fotabuild.
        ReleaseStorageError: the place cannot be used.
    """
    index, entries = read_index(storage)
    known = {entry.record: entry for entry in entries} if trusted else {}
    known.update({record: entry for record, entry in written.items() if record not in known})
    listing = list_names(storage)
    missing = listing.records - known.keys()
    # A mark that the index lacks, of a release that is or will be known.
    fresh = {
        mark_name(record, number): record
        for record, number in listing.marks.items()
        if number % 2
        and (record in missing or record in known)
        and (record in again or record in missing or known[record].retired is None)
    }
    files = storage.read_all(sorted(missing | fresh.keys()), READ_LIMITS.release_record)
    damaged: dict[str, StoreDamageError] = {}
    for record in sorted(missing & files.keys()):
        try:
            known[record] = Entry.of(read_record(record, sound(files[record])))
        except StoreDamageError as error:
            damaged[record] = error
    for record, number in listing.marks.items():
        if record in known and number % 2 == 0:
            known[record] = Entry.of(known[record].release)
    for mark, record in fresh.items():
        if record not in known:
            continue
        release = known[record].release
        # The mark says by its name that the release is retired; its content says since when.
        since = release.date
        try:
            since = read_mark(sound(files.get(mark, b"")))
        except StoreDamageError as error:
            damaged[mark] = error
        known[record] = Entry.of(release, since)
    return Contents(known, listing, damaged, index)


def read_index(storage: Storage) -> tuple[bytes | None, tuple[Entry, ...]]:
    """Return the index as bytes and as entries; None and nothing if it is missing or damaged.

    Raises:
        ReleaseError: it is of a newer fotabuild.
    """
    try:
        data = storage.read(INDEX, READ_LIMITS.release_index)
        return data, () if data is None else decode(data, Index).entries
    except StoreDamageError:
        return None, ()


def sound(data: bytes | StoreDamageError) -> bytes:
    """Return one of the results of ``Storage.read_all``, or raise it."""
    if isinstance(data, StoreDamageError):
        raise data
    return data
