"""Adding releases to a store."""

from __future__ import annotations

from collections.abc import Sequence

from fotabuild.errors import ReleaseConflictError, ReleaseError, StoreDamageError
from fotabuild.files.folders import renames_flushed_together
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.contents import Contents, read_contents
from fotabuild.releases.layout import blob_name
from fotabuild.releases.marking import add_mark
from fotabuild.releases.new_release import NewRelease, ReleaseSource
from fotabuild.releases.publishing import publish_index
from fotabuild.releases.record import encode_index, encode_record, read_record
from fotabuild.releases.release import Entry, Release
from fotabuild.releases.storage import Storage


def add_all(storage: Storage, sources: Sequence[ReleaseSource]) -> tuple[bool, ...]:
    """Add many releases; see :meth:`fotabuild.releases.store.ReleaseStore.add_all`."""
    entries = [source().entry() for source in sources]
    with storage.alone():
        contents = read_contents(storage)
        _check(storage, entries, contents)
        with renames_flushed_together():
            for source, entry in zip(sources, entries, strict=True):
                _write_files(storage, source(), entry, is_new=entry.record not in contents.known)
        with renames_flushed_together():
            added = [_add(storage, entry, contents) for entry in entries]
        written = [entry for entry, is_new in zip(entries, added, strict=True) if is_new]
        publish_index(storage, written=written)
    return tuple(added)


def foresee_all(
    storage: Storage, sources: Sequence[ReleaseSource]
) -> tuple[tuple[Entry, bool], ...]:
    """Return what :func:`add_all` would leave of each, and whether it is new; write nothing."""
    entries = [source().entry() for source in sources]
    contents = read_contents(storage)
    _check(storage, entries, contents)
    return tuple(
        (contents.known.get(entry.record, entry), entry.record not in contents.known)
        for entry in entries
    )


def _check(storage: Storage, entries: Sequence[Entry], contents: Contents) -> None:
    """Refuse what cannot be added to a store with these contents."""
    planned = {entry.record: entry for entry in entries}
    if len(planned) < len(entries):
        raise ReleaseError("a release stands twice among those to add")
    for record in planned.keys() & contents.known.keys():
        _refuse_other(storage, planned[record].release, contents.known[record].release)
    # What nobody could read again must not be written.
    encode_index({**contents.known, **planned}.values())


def _write_files(storage: Storage, new: NewRelease, entry: Entry, *, is_new: bool) -> None:
    """Write what the record will name. What was there, and damaged, is healed by that."""
    if new.entry() != entry:
        raise ReleaseError(f"the files of {entry.release.title} changed while they were added")
    for digest, data in new.files.items():
        # From here on nobody may take an old file for one that nobody needs.
        storage.write(blob_name(digest), data, fresh=is_new)


def _add(storage: Storage, entry: Entry, contents: Contents) -> bool:
    """Write the record of a release, whose files are there, and its mark if it is retired."""
    record = entry.record
    known = contents.known.get(record)
    is_new = False
    if known is None:
        is_new = _record(storage, record, entry.release)
    elif record not in contents.listing.records:
        _record(storage, record, known.release)
    if entry.retired is not None and (known is None or known.retired is None):
        add_mark(storage, contents, record, entry.retired, retired=True)
    return is_new


def _record(storage: Storage, name: str, release: Release) -> bool:
    """Write a record; return False if there is one that says the same.

    A damaged one that not even the index knows is replaced: nothing else would ever heal it.
    """
    data = encode_record(release)
    if storage.create(name, data):
        return True
    try:
        found = storage.read(name, READ_LIMITS.release_record)
        other = read_record(name, found or b"")
    except StoreDamageError:
        storage.write(name, data)
        return True
    _refuse_other(storage, release, other)
    return False


def _refuse_other(storage: Storage, release: Release, found: Release) -> None:
    """Refuse another content of a version that exists; the date may differ."""
    for what in ("digest", "manifest", "elf"):
        given = getattr(release, what)
        if given is not None and given != getattr(found, what):
            named = "image" if what == "digest" else what
            raise ReleaseConflictError(
                f"{release.title} is in the store with another {named}, of {found.date}",
                file=storage.place,
                remedy="a release never changes: use another version; or is this another "
                "product's store?",
            )
