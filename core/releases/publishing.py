"""The index of a store, made from its records."""

from __future__ import annotations

from collections.abc import Iterable

from fotabuild.errors import ReleaseStorageError
from fotabuild.releases.contents import list_names, read_contents
from fotabuild.releases.layout import INDEX
from fotabuild.releases.record import FSCK, encode_index
from fotabuild.releases.release import Entry
from fotabuild.releases.storage import Storage

_TRIES = 50


def publish_index(
    storage: Storage,
    *,
    trusted: bool = True,
    written: Iterable[Entry] = (),
    again: frozenset[str] = frozenset(),
) -> None:
    """Write the index, until nobody added or retired a release meanwhile.

    Whoever writes the index last has seen every record: see docs/releases.md. For callers who
    hold the store alone, where that is possible.

    Args:
        storage: where the store is.
        trusted: False to make it from the records alone.
        written: releases that were added just now, to spare reading them.
        again: records whose marks changed.
    """
    known = {entry.record: Entry.of(entry.release) for entry in written}
    for _ in range(_TRIES):
        contents = read_contents(storage, trusted=trusted, written=known, again=again)
        data = encode_index(contents.known.values())
        if data != contents.index:
            storage.write(INDEX, data)
        if list_names(storage) == contents.listing:
            return
    raise ReleaseStorageError(
        "the index of the store could not be completed: others kept writing",
        file=storage.place,
        remedy=FSCK,
    )
