"""The objects of a run: in the journal before they are made, and made once however often we try."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from fotabuild.errors import ServiceError
from fotabuild.publish.events import Made, Report
from fotabuild.publish.journal import Journal
from fotabuild.publish.journal_state import Entry
from fotabuild.publish.names import unique_name
from fotabuild.publish.service import Service
from fotabuild.publish.updates import Update
from fotabuild.publish.values import Kind


class Records:
    """What a run has made, and what an earlier process of the same run made.

    Args:
        service: where the objects are.
        journal: what is known of them.
        prefix: what their names begin with.
        report: hears of each that is made.
    """

    def __init__(self, service: Service, journal: Journal, prefix: str, report: Report) -> None:
        self.service = service
        self.journal = journal
        self.report = report
        self._prefix = prefix

    def known(self, kind: Kind, key: str) -> Entry | None:
        """Return what an earlier process made or was about to make, if it still exists."""
        entry = self.journal.find(kind, key)
        if entry is None:
            return None
        if entry.id is not None:
            if not self.service.is_gone(kind, entry.id, entry.name):
                return entry
            self.journal.gone(entry)
            return None
        try:
            found = self.service.find(kind, entry.name)
        except ServiceError as error:
            if error.status != 404:
                raise
            found = []
        if found:
            self.made(entry, found[0].id)
        return entry

    def intend(self, kind: Kind, update: Update) -> Entry:
        """Write down that an object for an update is about to be made."""
        name = unique_name(self._prefix, f"{kind.value}-{update.payload.name}")
        return self.journal.intend(kind, update.key, name)

    @contextlib.contextmanager
    def unmade(self, entry: Entry) -> Iterator[None]:
        """Forget an object that was surely not made: nothing has to be looked for."""
        try:
            yield
        except ServiceError as error:
            if not error.sent:
                self.journal.gone(entry)
            raise

    def made(self, entry: Entry, identifier: str) -> None:
        """Write down the id of an object, and tell of it."""
        self.journal.made(entry, identifier)
        self.report(Made(entry.kind.value, entry.key, identifier, entry.name))
