"""Start, watch and stop campaigns. A campaign is never stopped because a look at it failed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from fotabuild.errors import CampaignTimeoutError, ServiceError
from fotabuild.publish.calls import transient
from fotabuild.publish.events import Progress, Report
from fotabuild.publish.outcome import Counts, Outcome, Stage, decide, stage_of
from fotabuild.publish.retry import Tries, parse_retry_after
from fotabuild.publish.service import Service
from fotabuild.publish.values import Campaign, DeviceRecord, Kind


@dataclass(frozen=True)
class EventCount:
    """What a group of devices reported."""

    group: str
    code: str
    description: str
    count: int


@dataclass(frozen=True)
class CampaignResult:
    """What became of one campaign.

    Attributes:
        key: the update that it brought.
        campaign: its id.
        outcome: success or what else.
        counts: devices by what became of them; None where the service has no numbers.
        phase: the last phase seen, with its state.
        reason: why the service ended it.
        events: what devices reported.
        devices: the devices with their last known states.
    """

    key: str
    campaign: str
    outcome: Outcome
    counts: Counts | None = None
    phase: str = ""
    reason: str = ""
    events: tuple[EventCount, ...] = ()
    devices: tuple[DeviceRecord, ...] = ()


@dataclass
class _Watched:
    key: str
    campaign: str
    name: str
    last: Campaign | None = None
    polls: int = 0
    missing: int = 0
    stage_since: tuple[Stage, float] | None = None
    result: CampaignResult | None = None
    next_look: float = field(default=0.0)


class Watcher:
    """Campaigns of one run.

    Args:
        service: where they are.
        report: hears of their progress.
    """

    def __init__(self, service: Service, report: Report) -> None:
        self._service = service
        self._report = report
        self._pacing = service.caller.pacing
        self._clock = service.caller.clock

    def start(self, campaign: str) -> None:
        """Start a campaign that is in draft; one that has started already is left alone.

        Raises:
            ServiceError: it did not start.
        """
        self._order(campaign, "start", lambda seen: stage_of(seen) is not Stage.DRAFT)

    def stop(self, campaign: str) -> Campaign | None:
        """Stop a campaign and wait until it stands; None when it is gone.

        Raises:
            ServiceError: it cannot be stopped.
        """
        stages = (Stage.STOPPING, Stage.OVER, Stage.DRAFT)
        try:
            self._order(campaign, "stop", lambda seen: stage_of(seen) in stages)
            return self.rest(campaign)
        except ServiceError as error:
            if error.status == 404:
                return None
            raise

    def rest(self, campaign: str) -> Campaign:
        """Wait, for a bounded time, until a campaign that is stopping stands."""
        end = self._clock.now() + self._pacing.stop
        while True:
            seen = self._service.campaign(campaign)
            if stage_of(seen) is not Stage.STOPPING or self._clock.now() >= end:
                return seen
            self._clock.sleep(1)

    def watch(
        self, campaigns: dict[str, str], names: Mapping[str, str], timeout: float
    ) -> list[CampaignResult]:
        """Wait until all campaigns are over.

        Args:
            campaigns: their ids by the keys of their updates.
            names: their names by these keys.
            timeout: seconds to wait at most; 0 for as long as it takes.

        Raises:
            CampaignTimeoutError: some run on.
            ServiceError: the service does not let us look any more; they may run on.
        """
        watched = [_Watched(key, one, names[key]) for key, one in campaigns.items()]
        begin = self._clock.now()
        heard = begin
        while waiting := [one for one in watched if one.result is None]:
            one = min(waiting, key=lambda w: w.next_look)
            end = begin + timeout if timeout else None
            if end is not None and max(one.next_look, self._clock.now()) >= end:
                self._clock.sleep(max(0.0, end - self._clock.now()))
                raise CampaignTimeoutError(
                    f"the campaign was not over after {timeout:.0f} seconds, it is "
                    f"{_phase(one.last) or 'in an unknown phase'}"
                )
            self._clock.sleep(max(0.0, one.next_look - self._clock.now()))
            pause = 0.0
            try:
                self._look(one)
                heard = self._clock.now()
            except ServiceError as error:
                if error.status == 404 and self._is_gone(one):
                    one.result = CampaignResult(one.key, one.campaign, Outcome.GONE)
                elif not _may_pass(error) or self._clock.now() - heard > self._pacing.silence:
                    raise
                wait = parse_retry_after(error.retry_after) or 0.0
                pause = max(pause, min(wait, self._pacing.longest_wait))
            one.next_look = self._clock.now() + max(pause, self._delay(one))
        return [one.result for one in watched if one.result is not None]

    def _look(self, one: _Watched) -> None:
        before = one.last
        seen = one.last = self._service.look(one.campaign)
        one.polls += 1
        one.missing = 0
        if before is not None and before.phase != seen.phase:
            one.polls = len(self._pacing.polls)
        stage = stage_of(seen)
        counts = None
        if stage is Stage.RUNNING:
            counts = self._counts_so_far(one.campaign)
        if stage is Stage.OVER or self._stuck(one, seen, stage):
            one.result = self.conclude(one.key, seen)
            counts = one.result.counts
        self._report(
            Progress(
                one.key, seen.phase or "", seen.state or "", seen.autostop_reason or "", counts
            )
        )

    def _is_gone(self, one: _Watched) -> bool:
        """Return whether a campaign that was just missing is deleted, and not out of sight."""
        one.missing += 1
        if one.missing < self._pacing.looks:
            return False
        try:
            return not self._service.is_listed(Kind.CAMPAIGN, one.campaign, one.name)
        except ServiceError as error:
            if not _may_pass(error):
                raise
            return False

    def _stuck(self, one: _Watched, seen: Campaign, stage: Stage) -> bool:
        """Return whether a campaign goes back to draft, or on stopping for ever (section 2.1)."""
        now = self._clock.now()
        if one.stage_since is None or one.stage_since[0] is not stage:
            one.stage_since = (stage, now)
        lasted = now - one.stage_since[1]
        if stage is Stage.DRAFT:
            return bool(seen.autostop_reason) or lasted >= self._pacing.draft_grace
        return stage is Stage.STOPPING and lasted >= self._pacing.stop

    def _delay(self, one: _Watched) -> float:
        polls = self._pacing.polls
        seconds: float
        changed = one.last is not None and one.polls == len(polls)
        if changed or 0 < one.missing < self._pacing.looks:
            seconds = self._pacing.poll_after_change
        elif one.polls <= len(polls):
            seconds = polls[max(0, one.polls - 1)]
        else:
            seconds = min(polls[-1] * 1.2 ** (one.polls - len(polls)), self._pacing.longest_poll)
        return seconds * self._service.caller.chance.uniform(0.9, 1.1)

    def _counts_so_far(self, campaign: str) -> Counts | None:
        try:
            return Counts.of(self._service.summaries(campaign, once=True))
        except ServiceError:
            return None

    def conclude(self, key: str, seen: Campaign) -> CampaignResult:
        """Read numbers, reports and devices of a campaign that is over, and judge it."""
        end = self._clock.now() + self._pacing.late_numbers
        while True:
            counts = self._final_counts(seen.id)
            outcome = decide(seen, counts)
            final = counts is not None and counts.total and not counts.pending
            final = final or outcome is Outcome.ENDED_BY_SERVICE
            if final or stage_of(seen) is Stage.DRAFT or self._clock.now() >= end:
                break
            self._clock.sleep(1)  # The numbers may lag behind the phase.
        return CampaignResult(
            key,
            seen.id,
            outcome,
            counts,
            _phase(seen),
            seen.autostop_reason or "",
            self._events(seen.id, counts),
            self._devices(seen.id) if counts is not None and counts.total else (),
        )

    def _final_counts(self, campaign: str) -> Counts | None:
        try:
            return Counts.of(self._service.summaries(campaign))
        except ServiceError:
            return None

    def _events(self, campaign: str, counts: Counts | None) -> tuple[EventCount, ...]:
        found: list[EventCount] = []
        groups = (
            {}
            if counts is None
            else {"fail": counts.failed, "skipped": counts.skipped, "info": counts.pending}
        )
        for group, count in groups.items():
            if not count:
                continue
            try:
                types = self._service.events(campaign, group)
            except ServiceError:
                continue
            found += [
                EventCount(group, t.event_type or t.id or "", t.description or "", t.count or 0)
                for t in types
            ]
        return tuple(found)

    def _devices(self, campaign: str) -> tuple[DeviceRecord, ...]:
        try:
            return tuple(self._service.device_records(campaign))
        except ServiceError:
            return ()

    def _order(self, campaign: str, verb: str, happened: Callable[[Campaign], bool]) -> None:
        """Start or stop; whenever it is unclear, the phase tells (section 2.2)."""
        caller = self._service.caller
        tries = Tries(self._pacing, self._clock, caller.chance)
        failure: ServiceError | None = None
        for _ in tries:
            try:
                self._service.order(campaign, verb)
                return
            except ServiceError as error:
                failure = error
            if failure.status == 409:
                # An order that was delivered twice is refused the second time.
                if happened(self._settled(campaign, happened)):
                    return
                raise failure
            if not transient(failure):
                raise failure
            tries.wait(failure.retry_after)
            if failure.status != 429 and happened(self._service.campaign(campaign)):
                return
        assert failure is not None
        raise failure

    def _settled(self, campaign: str, happened: Callable[[Campaign], bool]) -> Campaign:
        end = self._clock.now() + self._pacing.poll_after_change
        while True:
            seen = self._service.campaign(campaign)
            if happened(seen) or seen.autostop_reason or self._clock.now() >= end:
                return seen
            self._clock.sleep(0.5)


def _may_pass(error: ServiceError) -> bool:
    """Return whether another look may succeed; a gateway that starts anew answers 404."""
    return error.status == 404 or transient(error)


def _phase(seen: Campaign | None) -> str:
    if seen is None:
        return ""
    return f"{seen.phase or ''}/{seen.state or ''}".strip("/")
