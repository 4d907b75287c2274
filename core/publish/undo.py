"""Remove from a service what a run made: in reverse order, and as far as possible (1.10)."""

from __future__ import annotations

import contextlib
from dataclasses import dataclass

from fotabuild.errors import ServiceError
from fotabuild.publish.events import Deleted, Report
from fotabuild.publish.journal import Journal
from fotabuild.publish.journal_state import Entry
from fotabuild.publish.names import artifacts_of
from fotabuild.publish.outcome import Stage, stage_of
from fotabuild.publish.service import Service
from fotabuild.publish.values import Kind
from fotabuild.publish.watch import Watcher

_ORDER = (Kind.CAMPAIGN, Kind.MANIFEST, Kind.IMAGE, Kind.JOB)


@dataclass(frozen=True)
class Leftover:
    """Something that may still be on the service.

    Attributes:
        kind: what it is.
        name: its name there.
        id: its id, if known.
        why: why it was not removed.
    """

    kind: Kind
    name: str
    id: str | None
    why: str

    def __str__(self) -> str:
        return f"{self.kind.value} {self.name}{f' ({self.id})' if self.id else ''}: {self.why}"


class Undo:
    """The removal of all that a journal knows.

    Every object is looked for by its name as well: a line that delivers a request twice makes two
    objects, and the second one's id was never heard of.

    Args:
        service: where the objects are.
        journal: what they are; told of each that is gone, and removed with the last.
        report: hears of each that is gone.
        stop: also stop campaigns that run, or those of the updates with these keys; the others
            stay, with all that they need.
    """

    def __init__(
        self,
        service: Service,
        journal: Journal,
        report: Report,
        *,
        stop: bool | frozenset[str],
    ) -> None:
        self._service = service
        self._journal = journal
        self._report = report
        self._stop = stop
        self._clock = service.caller.clock
        self._watcher = Watcher(service, report)

    def run(self) -> tuple[Leftover, ...]:
        """Remove everything; return what remains."""
        left: list[Leftover] = []
        needed: set[str] = set()
        unreachable = ""
        for entry in self._entries():
            why = unreachable
            if not why and entry.key in needed:
                why = "its campaign may be running"
            if not why:
                try:
                    why = self._remove(entry)
                except ServiceError as error:
                    why = str(error)
                    if error.code == "FB0902":
                        unreachable = why
            if not why:
                self._journal.gone(entry)
                self._report(Deleted(entry.kind.value, entry.key, entry.name))
                continue
            left.append(Leftover(entry.kind, entry.name, entry.id, why))
            if entry.kind is Kind.CAMPAIGN and not self._rests(entry):
                needed.add(artifacts_of(entry.key))
        if not left:
            self._journal.remove()
        return tuple(left)

    def _entries(self) -> list[Entry]:
        entries = [entry for entry in self._journal.entries if not entry.gone]
        return sorted(entries, key=lambda entry: _ORDER.index(entry.kind))

    def _remove(self, entry: Entry) -> str:
        """Remove one; return why it could not be, or an empty text."""
        for identifier in self._identifiers(entry):
            if entry.kind is Kind.CAMPAIGN:
                why = self._halt(entry, identifier)
                if why:
                    return why
            self._delete(entry, identifier)
        return ""

    def _stops(self, entry: Entry) -> bool:
        return self._stop if isinstance(self._stop, bool) else entry.key in self._stop

    def _identifiers(self, entry: Entry) -> list[str]:
        found = [entry.id] if entry.id else []
        try:
            found += [item.id for item in self._service.find(entry.kind, entry.name)]
        except ServiceError as error:
            # Some services list nothing; what has an id can be removed all the same.
            if error.code == "FB0902" or not found:
                raise
        if entry.kind is Kind.IMAGE:
            found += self._images_of_jobs(entry.key)
        return list(dict.fromkeys(found))

    def _images_of_jobs(self, key: str) -> list[str]:
        found = []
        for job in self._journal.entries:
            if job.kind is Kind.JOB and job.key == key and job.id and not job.gone:
                try:
                    image = self._service.job(job.id).firmware_image_id
                except ServiceError as error:
                    if error.status != 404:
                        raise
                    continue
                if image and image.isalnum():
                    found.append(image)
        return found

    def _halt(self, entry: Entry, campaign: str) -> str:
        """Make sure that a campaign can be deleted; return why it cannot, or an empty text."""
        try:
            seen = self._service.campaign(campaign)
        except ServiceError as error:
            if error.status == 404:
                return ""
            raise
        stage = stage_of(seen)
        if stage in (Stage.RUNNING, Stage.WAITING) and not self._stops(entry):
            return f"it is {seen.phase}"
        if stage is Stage.RUNNING:
            self._watcher.stop(campaign)
        elif stage is Stage.STOPPING:
            self._watcher.rest(campaign)
        return ""

    def _delete(self, entry: Entry, identifier: str) -> None:
        kind = entry.kind
        end = self._clock.now() + self._service.caller.pacing.conflict
        while True:
            try:
                if self._service.delete(kind, identifier) or self._service.is_gone(
                    kind, identifier, entry.name
                ):
                    return
                raise ServiceError("the service says that it does not exist, and shows it")
            except ServiceError as error:
                if error.status != 409 or self._clock.now() >= end:
                    raise
            if kind is Kind.CAMPAIGN and self._stops(entry):
                # Whether one that waits for something can be deleted at once is not documented.
                with contextlib.suppress(ServiceError):
                    self._watcher.stop(identifier)
            self._clock.sleep(2)

    def _rests(self, entry: Entry) -> bool:
        """Return whether a campaign that remains surely needs its manifest no more."""
        if entry.id is None:
            return False
        try:
            stage = stage_of(self._service.campaign(entry.id))
        except ServiceError:
            return False
        return stage in (Stage.DRAFT, Stage.STOPPING, Stage.OVER)


def is_waiting(service: Service, journal: Journal) -> bool:
    """Return whether a campaign of a run is in draft, runs, or waits for somebody."""
    for entry in journal.entries:
        if entry.kind is Kind.CAMPAIGN and entry.id and not entry.gone:
            try:
                seen = service.campaign(entry.id)
            except ServiceError as error:
                if error.status == 404:
                    continue
                raise
            if stage_of(seen) is not Stage.OVER:
                return True
    return False
