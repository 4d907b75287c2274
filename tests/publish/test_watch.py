"""Waiting for campaigns: nothing healthy is stopped, and nothing waits for ever."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fotabuild.errors import ServiceError
from fotabuild.publish.events import Note, Progress
from fotabuild.publish.journal import reopen
from fotabuild.publish.journal_folder import runs
from fotabuild.publish.outcome import Counts, Outcome
from fotabuild.publish.pacing import PACING
from fotabuild.publish.updates import Cleanup, RunOptions

from .fake_service import FakeService
from .scene import QUICK, Scene, impatient
from .wire import Wire


def stops(fake: FakeService) -> int:
    return sum(call.path.endswith("/stop") for call in fake.calls)


def test_progress_is_told(wire: Wire, fake: FakeService, tmp_path: Path) -> None:
    scene = Scene(wire.url, tmp_path)
    scene.publish()
    told = [event for event in scene.events if isinstance(event, Progress)]
    assert [(event.phase, event.state) for event in told] == [
        ("starting", "scheduled"),
        ("active", "publishing"),
        ("stopping", "stopping"),
        ("stopped", "autostopped"),
    ]
    assert told[-1].counts == Counts(success=1)


def test_unknown_phases_are_shown_and_waited_for(tmp_path: Path) -> None:
    fake = FakeService(phases=[["brewing", "hot"], ["active", "odd_state"], ["stopped", ""]])
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        (result,) = scene.publish().results
    assert result.outcome is Outcome.SUCCESS
    assert "brewing" in [e.phase for e in scene.events if isinstance(e, Progress)]


def test_a_phase_that_goes_back_does_not_matter(tmp_path: Path) -> None:
    script = [["active", "publishing"], ["starting", "scheduled"], ["stopped", "autostopped"]]
    with Wire(FakeService(phases=script)) as wire:
        assert Scene(wire.url, tmp_path).publish().results[0].outcome is Outcome.SUCCESS


def test_approval_is_waited_for(tmp_path: Path) -> None:
    waiting = [["awaiting_approval", "draft"]] * 20 + [["timed", "scheduled"]] * 5
    fake = FakeService(phases=[*waiting, ["stopped", "autostopped"]])
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        (result,) = scene.publish(RunOptions(approval=True)).results
    assert result.outcome is Outcome.SUCCESS
    assert b'"approval_required": true' in next(
        call.body for call in fake.calls if str(call) == "POST /v3/update-campaigns"
    )


def test_somebody_stops_the_campaign(tmp_path: Path) -> None:
    fake = FakeService(
        phases=[["active", "publishing"], ["stopped", "userstopped"]], stats={"success": 3}
    )
    with Wire(fake) as wire:
        (result,) = Scene(wire.url, tmp_path).publish().results
    assert (result.outcome, fake.left()) == (Outcome.STOPPED, {})


def test_numbers_that_come_late_are_waited_for(tmp_path: Path) -> None:
    fake = FakeService(
        inject={f"cam_stats#{n}": {"status": 404, "message": "not yet"} for n in range(1, 5)}
    )
    with Wire(fake) as wire:
        pacing = dataclasses.replace(QUICK, late_numbers=60)
        (result,) = Scene(wire.url, tmp_path, pacing).publish().results
    assert result.outcome is Outcome.SUCCESS


def test_numbers_that_never_come_are_no_success(tmp_path: Path) -> None:
    fake = FakeService(inject={"cam_stats#*": {"status": 404, "message": "none"}})
    with Wire(fake) as wire:
        (result,) = Scene(wire.url, tmp_path).publish().results
    assert (result.outcome, result.counts, fake.left()) == (Outcome.UNKNOWN, None, {})


def test_a_service_that_is_away_for_long_does_not_end_the_campaign(tmp_path: Path) -> None:
    """Forty failed looks in a row: the campaign is fine, only our view is not."""
    fake = FakeService(
        inject={f"cam_get#{n}": {"status": 503, "message": "away"} for n in range(2, 42)}
    )
    with Wire(fake) as wire:
        pacing = dataclasses.replace(QUICK, silence=100_000)
        (result,) = Scene(wire.url, tmp_path, pacing).publish().results
    assert (result.outcome, stops(fake), fake.left()) == (Outcome.SUCCESS, 0, {})


def test_a_service_that_stays_away_leaves_the_campaign_and_the_journal(tmp_path: Path) -> None:
    fake = FakeService(
        inject={f"cam_get#{n}": {"status": 503, "message": "away"} for n in range(2, 10_000)}
    )
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        with pytest.raises(ServiceError, match="503"):
            scene.publish()
        assert stops(fake) == 0
        assert fake.left() == {"images": 1, "manifests": 1, "campaigns": 1}
        (path,) = runs(scene.journals)
        warnings = [e.text for e in scene.events if isinstance(e, Note) and e.warning]
        assert any(f"--resume {path.stem}" in text for text in warnings)
        fake.inject.clear()
        again = Scene(wire.url, tmp_path)
        assert again.publish(journal=reopen(path)).results[0].outcome is Outcome.SUCCESS
    assert (fake.left(), list(runs(scene.journals))) == ({}, [])


def test_a_key_that_is_withdrawn_meanwhile_ends_the_waiting_only(tmp_path: Path) -> None:
    fake = FakeService(inject={"cam_get#2": {"status": 401, "message": "who?"}})
    with Wire(fake) as wire, pytest.raises(ServiceError, match="401"):
        Scene(wire.url, tmp_path).publish()
    assert stops(fake) == 0
    assert "campaigns" in fake.left()


def test_a_timeout_stops_and_cleans_up(tmp_path: Path) -> None:
    fake = FakeService(phases=[["active", "publishing"]], stats={"info": 2, "success": 1})
    with Wire(fake) as wire:
        (result,) = Scene(wire.url, tmp_path).publish(RunOptions(timeout=60)).results
    assert result.outcome is Outcome.TIMED_OUT
    assert result.counts == Counts(success=1, pending=2)
    assert (stops(fake), fake.left()) == (1, {})


@pytest.mark.parametrize("undeletable", [(), ("awaiting_approval",)])
def test_a_timeout_while_somebody_should_approve(
    undeletable: tuple[str, ...], tmp_path: Path
) -> None:
    """Whether such a campaign can be deleted at once, or has to be stopped, is not documented."""
    fake = FakeService(phases=[["awaiting_approval", "draft"]], stats={}, undeletable=undeletable)
    with Wire(fake) as wire:
        (result,) = Scene(wire.url, tmp_path).publish(RunOptions(timeout=60)).results
    assert (result.outcome, fake.left()) == (Outcome.TIMED_OUT, {})
    assert stops(fake) == len(undeletable)


@pytest.mark.parametrize("fault", ["reset-after", "timeout-after", "html-502-after"])
def test_a_start_whose_answer_is_lost_is_not_repeated(fault: str, tmp_path: Path) -> None:
    fake = FakeService()
    with Wire(fake, {3: fault}) as wire:
        Scene(wire.url, tmp_path, impatient()).publish()
    assert [str(call) for call in fake.calls].count("POST /v3/update-campaigns/ID/start") == 1


def test_a_timeout_without_clean_up_leaves_it_running(tmp_path: Path) -> None:
    fake = FakeService(phases=[["active", "publishing"]], stats={"info": 2})
    with Wire(fake) as wire:
        options = RunOptions(timeout=60, cleanup=Cleanup.NEVER)
        publication = Scene(wire.url, tmp_path).publish(options)
    assert publication.kept
    assert publication.results[0].outcome is Outcome.TIMED_OUT
    assert stops(fake) == 0
    assert len(fake.left()) == 3


def test_what_failed_is_kept_when_asked_for(tmp_path: Path) -> None:
    for stats, kept in (({"fail": 1}, True), ({"success": 1}, False)):
        fake = FakeService(stats=stats)
        with Wire(fake) as wire:
            options = RunOptions(cleanup=Cleanup.ON_SUCCESS)
            publication = Scene(wire.url, tmp_path).publish(options)
        assert publication.kept is kept
        assert bool(fake.left()) is kept


def test_polls_become_rarer_up_to_a_bound(tmp_path: Path) -> None:
    """1, 2, 3 seconds, then more and more; 30 at most, give or take a tenth."""
    fake = FakeService(phases=[["active", "publishing"]] * 40 + [["stopped", "autostopped"]])
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        scene.publish()
    slept = [seconds for seconds in scene.clock.slept if seconds > 0.5]
    assert 0.7 <= slept[0] <= 1.1
    assert 25 <= max(slept) <= 33
    assert PACING.longest_poll == 30


def test_device_records_of_several_pages(tmp_path: Path) -> None:
    devices = [[f"device{n}", "deployed"] for n in range(25)]
    with Wire(FakeService(devices=devices, stats={"success": 25}, page=10)) as wire:
        (result,) = Scene(wire.url, tmp_path).publish().results
    assert [record.device_id for record in result.devices] == [name for name, _ in devices]
