"""What became of a campaign, from phase, state and numbers together."""

from __future__ import annotations

import itertools

import pytest

from fotabuild.errors import ExitStatus
from fotabuild.publish.hints import hint
from fotabuild.publish.outcome import Counts, Outcome, Stage, decide, stage_of
from fotabuild.publish.values import Campaign, Summary

ID = "0" * 32


def campaign(phase: str | None, state: str | None = None) -> Campaign:
    return Campaign(id=ID, phase=phase, state=state)


DONE = Counts(success=2)
CASES = [
    ("stopped", "autostopped", DONE, Outcome.SUCCESS),
    ("archived", "deployed", DONE, Outcome.SUCCESS),
    ("stopped", "expired", DONE, Outcome.SUCCESS),
    ("stopped", None, DONE, Outcome.SUCCESS),
    ("stopped", "autostopped", Counts(success=1, skipped=1), Outcome.SUCCESS),
    ("stopped", "autostopped", Counts(skipped=2), Outcome.ALL_SKIPPED),
    ("stopped", "autostopped", Counts(success=9, failed=1), Outcome.FAILED_DEVICES),
    ("stopped", "userstopped", Counts(failed=1), Outcome.FAILED_DEVICES),
    ("stopped", "quota_allocation_failed", Counts(), Outcome.ENDED_BY_SERVICE),
    ("stopped", "quotaallocationfailed", None, Outcome.ENDED_BY_SERVICE),
    ("stopped", "manifestremoved", DONE, Outcome.ENDED_BY_SERVICE),
    ("stopped", "conflict", Counts(pending=1), Outcome.ENDED_BY_SERVICE),
    ("stopped", "expired", Counts(), Outcome.ENDED_BY_SERVICE),
    ("stopped", "expired", Counts(pending=1), Outcome.INCOMPLETE),
    ("stopped", "autostopped", Counts(success=1, pending=1), Outcome.INCOMPLETE),
    ("stopped", "autostopped", Counts(), Outcome.NO_DEVICE),
    ("stopped", "autostopped", None, Outcome.UNKNOWN),
    ("stopped", "userstopped", DONE, Outcome.STOPPED),
    ("draft", "draft", None, Outcome.NOT_STARTED),
    ("draft", "draft", DONE, Outcome.NOT_STARTED),
    ("deleted", None, DONE, Outcome.GONE),
]


@pytest.mark.parametrize(("phase", "state", "counts", "outcome"), CASES)
def test_table(phase: str, state: str | None, counts: Counts | None, outcome: Outcome) -> None:
    assert decide(campaign(phase, state), counts) is outcome


def test_success_is_never_claimed_wrongly() -> None:
    """Of all combinations only those are a success in which every device is accounted for."""
    phases = ("draft", "stopping", "stopped", "archived", "deleted", "unheard-of", None)
    states = ("autostopped", "userstopped", "expired", "conflict", "deployed", "odd", None)
    numbers = [Counts(*n) for n in itertools.product((0, 1, 7), repeat=4)]
    good = 0
    for phase, state, counts in itertools.product(phases, states, [None, *numbers]):
        outcome = decide(campaign(phase, state), counts)
        if outcome.exit_status == ExitStatus.OK:
            good += 1
            assert counts is not None
            assert (counts.failed, counts.pending) == (0, 0)
            assert counts.total > 0
            assert phase not in ("draft", "deleted")
            assert state not in ("userstopped", "conflict")
            assert (outcome is Outcome.ALL_SKIPPED) == (counts.success == 0)
    assert good == 5 * 5 * 8


@pytest.mark.parametrize(
    ("phase", "stage"),
    [
        ("draft", Stage.DRAFT),
        ("awaiting_approval", Stage.WAITING),
        ("timed", Stage.WAITING),
        ("starting", Stage.RUNNING),
        ("active", Stage.RUNNING),
        ("stopping", Stage.STOPPING),
        ("stopped", Stage.OVER),
        ("archived", Stage.OVER),
        ("something-new", Stage.RUNNING),
        (None, Stage.RUNNING),
    ],
)
def test_stages(phase: str | None, stage: Stage) -> None:
    assert stage_of(campaign(phase)) is stage


def test_every_outcome_has_its_status() -> None:
    statuses = {outcome: outcome.exit_status for outcome in Outcome}
    assert [o for o, s in statuses.items() if s == ExitStatus.NO_DEVICE] == [
        Outcome.NO_DEVICE,
        Outcome.NOT_STARTED,
    ]
    assert [o for o, s in statuses.items() if s == ExitStatus.TIMED_OUT] == [Outcome.TIMED_OUT]
    assert {o for o, s in statuses.items() if s == ExitStatus.CAMPAIGN} == {
        Outcome.FAILED_DEVICES,
        Outcome.INCOMPLETE,
        Outcome.ENDED_BY_SERVICE,
        Outcome.STOPPED,
        Outcome.UNKNOWN,
        Outcome.GONE,
    }


def test_counts() -> None:
    summaries = [
        Summary(id="fail", count=1),
        Summary(summary_status="SUCCESS", count=2),
        Summary(id="skipped", count=None),
        Summary(id="info", count=4),
        Summary(id="something-new", count=8),
    ]
    counts = Counts.of(summaries)
    assert counts == Counts(success=2, failed=1, pending=4)
    assert counts is not None
    assert counts.total == 7
    assert Counts.of([]) is None


@pytest.mark.parametrize(
    ("code", "word"),
    [
        ("UPD4_FAIL_210", "resources"),
        ("upd4_fail_221", "version"),
        ("UPD4_FAIL_229", "delta"),
        ("UPD4_FAIL_304", "URL"),
        ("UPD4_FAIL_512", "application"),
    ],
)
def test_hints(code: str, word: str) -> None:
    assert word in (hint(code) or "")


@pytest.mark.parametrize("code", ["UPD4_FAIL_999", "SYS_110", "", "UPD4_FAIL_", "-21"])
def test_no_hint_is_made_up(code: str) -> None:
    assert hint(code) is None
