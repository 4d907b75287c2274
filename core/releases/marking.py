"""Marks: after the first a release is retired, after the second in the field again, and so on."""

from __future__ import annotations

from fotabuild.errors import ReleaseError
from fotabuild.releases.contents import Contents
from fotabuild.releases.layout import MARKS, mark_name
from fotabuild.releases.record import encode_mark
from fotabuild.releases.storage import Storage


def add_mark(
    storage: Storage, contents: Contents, record: str, date: str, *, retired: bool
) -> None:
    """Write the next mark that says so; one that was lost leaves a gap.

    Args:
        storage: where the store is.
        contents: what is in it.
        record: of the release.
        date: since when.
        retired: whether the release is retired or put back.

    Raises:
        ReleaseError: it has as many marks as there can be.
    """
    last = contents.listing.marks.get(record, 0)
    number = last + (1 if last % 2 != retired else 2)
    if number > MARKS:
        raise ReleaseError(
            f"this release was retired and put back {MARKS} times", file=storage.place
        )
    # Where there is one already, somebody did the same at this moment.
    storage.create(mark_name(record, number), encode_mark(date))
