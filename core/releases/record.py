"""Records, marks and the index of a store as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

import msgspec

from fotabuild.errors import ReleaseError, StoreDamageError
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.release import Entry, Release, check_date

FORMAT = 1
FSCK = "run 'fotabuild release fsck'"
_Kind = TypeVar("_Kind", bound="msgspec.Struct")


class Index(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All entries of a store, sorted by component and version."""

    format: int
    entries: tuple[Entry, ...]


class _Format(msgspec.Struct, frozen=True):
    format: int


def encode(value: msgspec.Struct) -> bytes:
    """Return a record or an index as JSON: the same values give the same bytes."""
    text = msgspec.json.encode(value, order="deterministic")
    return msgspec.json.format(text, indent=1) + b"\n"


def encode_record(release: Release) -> bytes:
    """Return the record of a release.

    Raises:
        ReleaseError: nobody could read it again, since it is too large.
    """
    data = encode(Entry.of(release))
    if len(data) > READ_LIMITS.release_record:
        raise ReleaseError(
            f"the record of {release.title} would have {len(data)} bytes, the limit is "
            f"{READ_LIMITS.release_record}",
            field="origin",
            remedy="say less about its origin",
        )
    return data


def encode_index(entries: Iterable[Entry]) -> bytes:
    """Return the index of these entries.

    Raises:
        ReleaseError: nobody could read it again, since it is too large.
    """
    index = make_index(entries)
    data = encode(index)
    limits = READ_LIMITS
    if len(index.entries) > limits.releases or len(data) > limits.release_index:
        raise ReleaseError(
            f"the index of the store would have {len(index.entries)} releases and {len(data)} "
            f"bytes, the limits are {limits.releases} and {limits.release_index}",
            remedy="start another store, such as one for each product",
        )
    return data


def decode(data: bytes, kind: type[_Kind]) -> _Kind:
    """Read what :func:`encode` wrote.

    Raises:
        StoreDamageError: it is something else, or was changed.
        ReleaseError: it is an index of a newer fotabuild.
    """
    try:
        if kind is Index:
            _refuse_newer(data)
        value = msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as error:
        raise StoreDamageError(f"not what a store writes: {error}", remedy=FSCK) from None
    entries = value.entries if isinstance(value, Index) else (value,)
    for entry in entries:
        if isinstance(entry, Entry) and not entry.sound:
            raise StoreDamageError(f"{entry.release.title} was changed by hand", remedy=FSCK)
    return value


def _refuse_newer(data: bytes) -> None:
    """Leave alone what a newer fotabuild wrote, which may have fields that we do not know."""
    found = msgspec.json.decode(data, type=_Format).format
    if found != FORMAT:
        raise ReleaseError(
            f"this store has format {found}",
            remedy="use a newer fotabuild for it; if there is none, remove its index: fsck makes "
            "it again",
        )


def read_record(name: str, data: bytes) -> Release:
    """Return the release in a record.

    Raises:
        StoreDamageError: it is damaged, or another's.
    """
    entry = decode(data, Entry)
    if name != entry.record:
        raise StoreDamageError("this record lies under another's name", remedy=FSCK)
    return entry.release


def encode_mark(date: str) -> bytes:
    """Return a mark; see :mod:`fotabuild.releases.layout`.

    Raises:
        ReleaseError: there is no such moment.
    """
    return msgspec.json.encode(check_date(date)) + b"\n"


def read_mark(data: bytes) -> str:
    """Return the date in a mark.

    Raises:
        StoreDamageError: it is no mark.
    """
    try:
        return check_date(msgspec.json.decode(data, type=str))
    except (msgspec.MsgspecError, UnicodeError, ReleaseError):
        raise StoreDamageError("this mark is not a date", remedy=FSCK) from None


def make_index(entries: Iterable[Entry]) -> Index:
    """Return the index of these entries."""
    ordered = sorted(entries, key=lambda e: (e.release.component, e.release.number))
    return Index(format=FORMAT, entries=tuple(ordered))
