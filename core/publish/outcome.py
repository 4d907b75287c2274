"""What became of a campaign: a pure function of phase, state, reason and numbers (section 1.8)."""

from __future__ import annotations

import enum
from collections.abc import Iterable
from dataclasses import dataclass

from fotabuild.errors import ExitStatus
from fotabuild.publish.values import Campaign, Summary


@dataclass(frozen=True)
class Counts:
    """Devices of a campaign by what became of them; ``pending`` ones have not said yet."""

    success: int = 0
    failed: int = 0
    skipped: int = 0
    pending: int = 0

    @property
    def total(self) -> int:
        """All devices of the campaign."""
        return self.success + self.failed + self.skipped + self.pending

    @classmethod
    def of(cls, summaries: Iterable[Summary]) -> Counts | None:
        """Add up what the service says; None when it says nothing (yet)."""
        fields = {"success": "success", "fail": "failed", "skipped": "skipped", "info": "pending"}
        found: dict[str, int] = {}
        for summary in summaries:
            field = fields.get((summary.id or summary.summary_status or "").lower())
            if field is not None and summary.count is not None:
                found[field] = found.get(field, 0) + summary.count
        return cls(**found) if found else None

    def __str__(self) -> str:
        return (
            f"{self.success} updated, {self.failed} failed, {self.skipped} skipped, "
            f"{self.pending} pending"
        )


class Stage(enum.Enum):
    """What a phase means to somebody who waits."""

    DRAFT = enum.auto()
    WAITING = enum.auto()
    RUNNING = enum.auto()
    STOPPING = enum.auto()
    OVER = enum.auto()


_STAGES = {
    "draft": Stage.DRAFT,
    "awaitingapproval": Stage.WAITING,
    "timed": Stage.WAITING,
    "stopping": Stage.STOPPING,
    "stopped": Stage.OVER,
    "archived": Stage.OVER,
    "deleted": Stage.OVER,
}


def plain(text: str | None) -> str:
    """Return a phase or state as it is compared: spellings with underscores exist."""
    return (text or "").replace("_", "").replace("-", "").lower()


def stage_of(campaign: Campaign) -> Stage:
    """Return the stage; an unknown phase counts as running."""
    return _STAGES.get(plain(campaign.phase), Stage.RUNNING)


class Outcome(enum.Enum):
    """What became of a campaign."""

    SUCCESS = "success"
    ALL_SKIPPED = "all-skipped"
    FAILED_DEVICES = "failed-devices"
    INCOMPLETE = "incomplete"
    ENDED_BY_SERVICE = "ended-by-service"
    STOPPED = "stopped-by-user"
    UNKNOWN = "unknown"
    GONE = "gone"
    NO_DEVICE = "no-device"
    NOT_STARTED = "not-started"
    NOTHING_TO_DO = "nothing-to-do"
    TIMED_OUT = "timed-out"
    DRAFT = "draft"
    RUNNING = "running"

    @property
    def exit_status(self) -> ExitStatus:
        """The exit status of ``fotabuild upload``."""
        return _STATUSES.get(self, ExitStatus.CAMPAIGN)


_STATUSES = {
    Outcome.SUCCESS: ExitStatus.OK,
    Outcome.ALL_SKIPPED: ExitStatus.OK,
    Outcome.NOTHING_TO_DO: ExitStatus.OK,
    Outcome.DRAFT: ExitStatus.OK,
    Outcome.RUNNING: ExitStatus.OK,
    Outcome.NO_DEVICE: ExitStatus.NO_DEVICE,
    Outcome.NOT_STARTED: ExitStatus.NO_DEVICE,
    Outcome.TIMED_OUT: ExitStatus.TIMED_OUT,
}
_BY_SERVICE = frozenset({"quotaallocationfailed", "manifestremoved", "conflict"})


def decide(campaign: Campaign, counts: Counts | None) -> Outcome:
    """Return the outcome of a campaign that is over, or back in draft after its start.

    Args:
        campaign: its phase and state.
        counts: its numbers; None where the service has none.
    """
    if stage_of(campaign) is Stage.DRAFT:
        return Outcome.NOT_STARTED
    if plain(campaign.phase) == "deleted":
        return Outcome.GONE
    state = plain(campaign.state)
    if counts is not None and counts.failed:
        return Outcome.FAILED_DEVICES
    if state in _BY_SERVICE:
        return Outcome.ENDED_BY_SERVICE
    if counts is None:
        return Outcome.UNKNOWN
    if not counts.total:
        return Outcome.ENDED_BY_SERVICE if state == "expired" else Outcome.NO_DEVICE
    if state == "userstopped":
        return Outcome.STOPPED
    if counts.pending:
        return Outcome.INCOMPLETE
    return Outcome.SUCCESS if counts.success else Outcome.ALL_SKIPPED
