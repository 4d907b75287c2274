"""The release store: adding, finding and retiring releases.

A release is there as soon as its record is, and the record comes after everything that it names:
see :mod:`fotabuild.releases.layout`.
"""

from __future__ import annotations

from collections.abc import Sequence

from fotabuild.digest import sha256
from fotabuild.errors import ReleaseStorageError, StoreDamageError, UnknownReleaseError
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.adding import add_all, foresee_all
from fotabuild.releases.contents import Contents, read_contents
from fotabuild.releases.layout import blob_name, record_name
from fotabuild.releases.marking import add_mark
from fotabuild.releases.new_release import NewRelease, ReleaseSource
from fotabuild.releases.publishing import publish_index
from fotabuild.releases.record import FSCK
from fotabuild.releases.release import Entry, check_date
from fotabuild.releases.storage import Storage


class ReleaseStore:
    """A store at a place. Many processes may use it at once, also on several machines."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def contents(self) -> Contents:
        """Return all releases: those in the index, and those that were added since.

        Raises:
            ReleaseStorageError: there is no store, or its place cannot be used.
            ReleaseError: the store is of a newer fotabuild.
        """
        contents = read_contents(self.storage)
        if contents.empty:
            raise no_store(self.storage)
        return contents

    def add(self, new: NewRelease) -> bool:
        """Add a release; return False if the store had just this one.

        Raises:
            ReleaseConflictError: the store has another image under this version.
            ReleaseError: a value that no store takes.
            ReleaseStorageError: the place cannot be used.
        """
        return self.add_all([lambda: new])[0]

    def add_all(self, sources: Sequence[ReleaseSource]) -> tuple[bool, ...]:
        """Add many releases; everything is read and checked before the first is added.

        Args:
            sources: them; each is called twice.

        Returns:
            For each whether it is new to the store.

        Raises:
            ReleaseConflictError: the store has another image under one of the versions.
            ReleaseError: a value that no store takes; the store would be too large; a file was
                changed between checking and adding.
            ReleaseStorageError: the place cannot be used.
        """
        return add_all(self.storage, sources)

    def foresee_all(self, sources: Sequence[ReleaseSource]) -> tuple[tuple[Entry, bool], ...]:
        """Say what :meth:`add_all` would do, and write nothing.

        Args:
            sources: the releases; each is called once.

        Returns:
            For each what the store would say of it, and whether it is new.

        Raises:
            FotabuildError: as :meth:`add_all`, as far as it shows without writing.
        """
        return foresee_all(self.storage, sources)

    def find(self, component: str, version: str) -> Entry:
        """Return one release.

        Raises:
            UnknownReleaseError: there is none.
            StoreDamageError: its record is damaged.
        """
        return self._find(self.contents(), component, version)

    def blob(self, digest: str, title: str = "") -> bytes:
        """Return an image, manifest or ELF file by its digest.

        Raises:
            StoreDamageError: it is missing or damaged.
        """
        name = blob_name(digest)
        problem = "this file of the store is missing"
        try:
            data = self.storage.read(name, READ_LIMITS.image)
        except StoreDamageError as error:
            data, problem = None, error.problem
        if data is not None and sha256(data).hex() != digest:
            data, problem = None, "this file of the store is damaged"
        if data is None:
            raise StoreDamageError(
                f"{problem}{f' ({title})' if title else ''}",
                file=f"{self.storage.place}/{name}",
                remedy="add the release again with its image, which heals it",
            )
        return data

    def retire(self, component: str, version: str, date: str) -> bool:
        """Note that no device has a release any more; return False if that was noted before.

        Raises:
            UnknownReleaseError: there is no such release.
        """
        return self._set_mark(component, version, check_date(date), retired=True)

    def restore(self, component: str, version: str, date: str) -> bool:
        """Undo :meth:`retire`; return False if the release was not retired."""
        return self._set_mark(component, version, check_date(date), retired=False)

    def foresee_mark(
        self, component: str, version: str, date: str, *, retired: bool
    ) -> tuple[Entry, bool]:
        """Say what :meth:`retire` or :meth:`restore` would do, and write nothing.

        Returns:
            What the store would say of the release, and whether that is a change.

        Raises:
            UnknownReleaseError: there is no such release.
        """
        since = check_date(date) if retired else None
        entry = self.find(component, version)
        if retired == (entry.retired is not None):
            return entry, False
        return Entry.of(entry.release, since), True

    def _set_mark(self, component: str, version: str, date: str, *, retired: bool) -> bool:
        self._find(self.contents(), component, version)
        with self.storage.alone():
            contents = self.contents()
            entry = self._find(contents, component, version)
            changes = retired != (entry.retired is not None)
            if changes:
                add_mark(self.storage, contents, entry.record, date, retired=retired)
            # Also for somebody who was killed between the two.
            publish_index(self.storage, again=frozenset({entry.record}))
        return changes

    def _find(self, contents: Contents, component: str, version: str) -> Entry:
        record = record_name(component, version)
        if record in contents.damaged:
            error = contents.damaged[record]
            raise StoreDamageError(
                f"the record of {component} {version} is damaged: {error.problem}",
                file=f"{self.storage.place}/{record}",
                remedy=FSCK,
            )
        if record not in contents.known:
            raise UnknownReleaseError(
                f"the store has no {component} {version[:40]}",
                file=self.storage.place,
                remedy="'fotabuild release list --all' shows what it has",
            )
        return contents.known[record]


def no_store(storage: Storage) -> ReleaseStorageError:
    """Return the error about a place without a store."""
    return ReleaseStorageError(
        "there is no release store here",
        file=storage.place,
        remedy="correct the place; 'fotabuild release add' starts a store",
    )
