"""The whole way of updates through a service: payload, manifest, campaign, wait, clean up.

:func:`publish_updates` is what ``fotabuild upload`` and programs call. Everything it makes is in a
journal first, and it looks into the journal before it makes anything: called again with the journal
of a run that was killed, it goes on where that one ended.
"""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from dataclasses import replace

import msgspec

from fotabuild.errors import (
    CampaignTimeoutError,
    FotabuildError,
    JournalError,
    PublishError,
    ServiceError,
)
from fotabuild.publish.events import Note, Report, Started
from fotabuild.publish.images import Images
from fotabuild.publish.journal import Journal
from fotabuild.publish.names import artifacts_of
from fotabuild.publish.outcome import Outcome, Stage, stage_of
from fotabuild.publish.records import Records
from fotabuild.publish.service import CampaignRequest, Service
from fotabuild.publish.undo import Leftover, Undo
from fotabuild.publish.updates import Cleanup, Publication, RunOptions, Update
from fotabuild.publish.values import Campaign, Kind
from fotabuild.publish.watch import CampaignResult, Watcher

# What the service accepts (section 1.6); devices accept less, which the manifest's maker checks.
_LARGEST_MANIFEST = 2048


def publish_updates(
    service: Service,
    journal: Journal,
    updates: Sequence[Update],
    options: RunOptions,
    report: Report,
) -> Publication:
    """Bring updates to devices.

    Args:
        service: the service.
        journal: a new journal, or that of an interrupted run of the same updates.
        updates: what to bring to which devices; no device in two of them.
        options: how.
        report: hears of everything.

    Raises:
        ServiceError: the service refused or cannot be reached. What was made is removed as far as
            possible; a campaign that may be running is left alone, with its journal.
        KeyboardInterrupt: after everything was stopped and removed, unless ``cleanup`` is never.
    """
    run = _Run(service, journal, options, report)
    try:
        return run.go(updates)
    except KeyboardInterrupt:
        if options.cleanup is Cleanup.NEVER:
            run.keep("interrupted, and left as it is")
        else:
            report(Note("interrupted: stopping and cleaning up; once more to leave at once", True))
            try:
                run.undo(stop=True)
            except KeyboardInterrupt:
                run.tell("left behind")
                raise
        raise


class _Run:
    def __init__(
        self, service: Service, journal: Journal, options: RunOptions, report: Report
    ) -> None:
        self._service = service
        self._journal = journal
        self._options = options
        self._report = report
        self._records = Records(service, journal, options.prefix, report)
        self._images = Images(self._records)
        self._watcher = Watcher(service, report)

    def go(self, updates: Sequence[Update]) -> Publication:
        if self._journal.results is not None:
            results = tuple(
                msgspec.convert(result, CampaignResult) for result in self._journal.results
            )
            return self._close(results)
        try:
            campaigns = {update.key: self._campaign(update) for update in updates}
            if not self._options.start:
                return self._leave(campaigns, Outcome.DRAFT)
            for key, campaign in campaigns.items():
                self._start(key, campaign)
        except BaseException as error:
            if not isinstance(error, KeyboardInterrupt):
                # Nothing that runs is stopped: with several campaigns the others are fine.
                self.undo(stop=False)
            raise
        if not self._options.wait:
            return self._leave(campaigns, Outcome.RUNNING)
        return self._wait(campaigns)

    def _wait(self, campaigns: dict[str, str]) -> Publication:
        try:
            watched = self._watcher.watch(campaigns, self._names(), self._options.timeout)
            results = tuple(watched)
        except CampaignTimeoutError as error:
            self._report(Note(str(error), True))
            if self._options.cleanup is Cleanup.NEVER:
                return self._leave(campaigns, Outcome.TIMED_OUT)
            results = tuple(self._stopped(key, one) for key, one in campaigns.items())
        except FotabuildError:
            self._report(Note(f"the campaign may be running; {self._later()}", True))
            raise
        self._finish(results)
        return self._close(results)

    def _finish(self, results: tuple[CampaignResult, ...]) -> None:
        try:
            self._journal.finish([msgspec.to_builtins(result) for result in results])
        except JournalError as error:  # What became of the devices is told all the same.
            self._report(Note(str(error), True))

    def undo(self, *, stop: bool | frozenset[str]) -> tuple[Leftover, ...]:
        """Remove what was made, and say what could not be."""
        left = Undo(self._service, self._journal, self._report, stop=stop).run()
        for leftover in left:
            self._report(Note(f"left on the service: {leftover}", True))
        if left:
            command = f"{self._journal.cleanup_command}{' --stop' if stop else ''}"
            self._report(Note(f"'{command}' tries again", True))
        return left

    def keep(self, why: str) -> None:
        """Leave everything on the service."""
        try:
            self._journal.keep()
        except JournalError as error:
            text = (
                f"{error}; the journal does not say that it stays: 'fotabuild cleanup' removes it"
            )
            self._report(Note(text, True))
        self.tell(why)

    def tell(self, why: str) -> None:
        """Say what is on the service."""
        for entry in self._journal.entries:
            if not entry.gone:
                self._report(Note(f"{why}: {entry.kind.value} {entry.name} ({entry.id})"))
        self._report(Note(f"'{self._journal.cleanup_command}' removes it"))

    def _later(self) -> str:
        if self._journal.arguments:
            place = self._journal.arguments["options"].get("to")
            to = f" --to {self._journal.service}" if place else ""
            return f"'fotabuild upload --resume {self._journal.run}{to}' looks again"
        return f"'{self._journal.cleanup_command}' removes it when it is over"

    def _close(self, results: tuple[CampaignResult, ...]) -> Publication:
        good = all(result.outcome.exit_status == 0 for result in results)
        cleanup = self._options.cleanup
        if cleanup is Cleanup.NEVER or (cleanup is Cleanup.ON_SUCCESS and not good):
            self.keep("kept")
            return Publication(self._journal.run, results, kept=True)
        # The others are over. Should one of them run all the same, it is healthy and stays.
        late = frozenset(one.key for one in results if one.outcome is Outcome.TIMED_OUT)
        return Publication(self._journal.run, results, self.undo(stop=late))

    def _leave(self, campaigns: dict[str, str], outcome: Outcome) -> Publication:
        self.keep("left in place")
        results = tuple(CampaignResult(key, one, outcome) for key, one in campaigns.items())
        return Publication(self._journal.run, results, kept=True)

    def _stopped(self, key: str, campaign: str) -> CampaignResult:
        """Stop a campaign whose time is over; one that is just over counts as it ended."""
        try:
            if self._service.is_gone(Kind.CAMPAIGN, campaign, self._names()[key]):
                return CampaignResult(key, campaign, Outcome.GONE)
            seen = self._service.campaign(campaign)
        except ServiceError as error:
            # The clean-up comes back to it.
            self._report(Note(f"campaign {key} may be running; {self._later()}", True))
            return CampaignResult(key, campaign, Outcome.TIMED_OUT, reason=str(error))
        stage = stage_of(seen)
        over = stage is Stage.OVER
        with contextlib.suppress(ServiceError):  # The clean-up will try again, and say so.
            if stage is Stage.STOPPING:
                seen = self._watcher.rest(campaign)
                over = stage_of(seen) is Stage.OVER
            elif stage is Stage.RUNNING:
                seen = self._watcher.stop(campaign) or seen
        result = self._watcher.conclude(key, seen)
        return result if over else replace(result, outcome=Outcome.TIMED_OUT)

    def _campaign(self, update: Update) -> str:
        entry = self._journal.find(Kind.CAMPAIGN, update.key)
        if entry is not None and entry.id is not None and self._journal.start_ordered(update.key):
            # Devices may have it. Even when somebody deleted it, there is no second one.
            return entry.id
        entry = self._records.known(Kind.CAMPAIGN, update.key)
        if entry is not None and entry.id is not None:
            self._require_conditions(self._service.campaign(entry.id))
            return entry.id
        manifest = self._manifest(replace(update, key=artifacts_of(update.key)))
        entry = entry or self._records.intend(Kind.CAMPAIGN, update)
        wanted = CampaignRequest(
            name=entry.name,
            manifest_id=manifest,
            device_filter=update.device_filter,
            description=self._options.description,
            approval=self._options.approval,
            start_at=self._options.start_at,
        )
        with self._records.unmade(entry):
            campaign = self._service.create_campaign(wanted)
        self._records.made(entry, campaign.id)
        self._require_conditions(campaign)
        return campaign.id

    def _require_conditions(self, campaign: Campaign) -> None:
        """Refuse to start what a service that does not know the condition would run at once."""
        for wanted, given, what in (
            (self._options.approval, campaign.approval_required, "approval"),
            (self._options.start_at, campaign.when, "a time of start"),
        ):
            if wanted and not given:
                raise ServiceError(
                    f"this service knows no campaigns that wait for {what}",
                    remedy="leave that option away, and start the campaign when it may begin",
                )

    def _manifest(self, update: Update) -> str:
        entry = self._records.known(Kind.MANIFEST, update.key)
        if entry is not None and entry.id is not None:
            return entry.id
        data = update.make_manifest(self._images.bring(update))
        if len(data) > _LARGEST_MANIFEST:
            raise PublishError(
                f"the manifest has {len(data)} bytes, the service takes {_LARGEST_MANIFEST}",
                remedy="make the vendor data smaller",
            )
        entry = entry or self._records.intend(Kind.MANIFEST, update)
        with self._records.unmade(entry):
            manifest = self._service.create_manifest(entry.name, data)
        self._records.made(entry, manifest.id)
        return manifest.id

    def _start(self, key: str, campaign: str) -> None:
        if self._journal.start_ordered(key):
            seen = self._sought(key, campaign)
            if seen is None or stage_of(seen) is not Stage.DRAFT or seen.autostop_reason:
                return
        self._journal.order_start(key)
        self._watcher.start(campaign)
        self._report(Started(key, campaign))

    def _sought(self, key: str, campaign: str) -> Campaign | None:
        """Return a campaign; None when it is out of sight, which the watcher looks into."""
        try:
            if self._service.is_gone(Kind.CAMPAIGN, campaign, self._names()[key]):
                return None
            return self._service.campaign(campaign)
        except ServiceError as error:
            if error.status != 404:
                raise
            return None

    def _names(self) -> dict[str, str]:
        """Return the names of the campaigns by the keys of their updates."""
        entries = self._journal.entries
        return {one.key: one.name for one in entries if one.kind is Kind.CAMPAIGN}
