"""A gateway that answers 404 for a moment, or for long, takes no campaign away."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fotabuild.errors import ServiceError
from fotabuild.publish.events import Note
from fotabuild.publish.journal import reopen
from fotabuild.publish.journal_folder import runs
from fotabuild.publish.outcome import Outcome
from fotabuild.publish.updates import RunOptions

from .fake_service import Call, FakeService, Reply
from .scene import QUICK, Scene
from .wire import Wire

STRAY = {"status": 404, "body_text": "<html>default backend</html>"}
ACTIVE = ["active", "publishing"]


def verbs(fake: FakeService) -> list[str]:
    return [call.path.rpartition("/")[2] for call in fake.calls if call.path.endswith("stop")]


def deleted_by_hand(fake: FakeService, after: int) -> None:
    """Have somebody delete the first campaign before a look at it."""
    right = fake.handle

    def handle(call: Call) -> Reply | dict[str, object]:
        if str(call) == "GET /v3/update-campaigns/ID" and fake.counts.get("cam_get", 0) >= after:
            fake.objects["campaigns"].pop(call.path.rpartition("/")[2], None)
        return right(call)

    fake.handle = handle  # type: ignore[method-assign]


@pytest.mark.parametrize("strays", [1, 2, 5])
def test_watching_goes_on(strays: int, tmp_path: Path) -> None:
    fake = FakeService(
        phases=[ACTIVE] * 12 + [["stopped", "autostopped"]],
        inject={f"cam_get#{n}": STRAY for n in range(4, 4 + strays)},
    )
    with Wire(fake) as wire:
        (result,) = Scene(wire.url, tmp_path).publish().results
    assert (result.outcome, verbs(fake), fake.left()) == (Outcome.SUCCESS, [], {})


def test_a_gateway_without_any_service_ends_the_waiting_only(tmp_path: Path) -> None:
    """Not even the list is there, so that nothing is known of the campaign."""
    fake = FakeService(phases=[ACTIVE])
    fake.inject = {f"cam_get#{n}": STRAY for n in range(4, 10_000)} | {"cam_list#*": STRAY}
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        with pytest.raises(ServiceError, match="404"):
            scene.publish()
    warnings = [e.text for e in scene.events if isinstance(e, Note) and e.warning]
    assert any("--resume" in text for text in warnings)
    assert (verbs(fake), len(fake.left())) == ([], 3)


@pytest.mark.parametrize("lists", [True, False])
def test_a_campaign_that_is_really_deleted(lists: bool, tmp_path: Path) -> None:
    fake = FakeService(phases=[ACTIVE], lists=lists)
    deleted_by_hand(fake, 3)
    with Wire(fake) as wire:
        (result,) = Scene(wire.url, tmp_path).publish().results
    assert (result.outcome, fake.left()) == (Outcome.GONE, {})


def interrupted(fake: FakeService, folder: Path) -> Path:
    """Leave a run whose campaign is active, as a kill does; return its journal."""
    with Wire(fake) as wire:
        scene = Scene(wire.url, folder)
        fake.inject = {f"cam_get#{n}": {"status": 401, "message": "?"} for n in range(3, 99)}
        with pytest.raises(ServiceError, match="401"):
            scene.publish()
    fake.inject = {}
    (path,) = runs(scene.journals)
    return path


@pytest.mark.parametrize("strays", [1, 2, 3, 4])
def test_resuming_makes_no_second_campaign(strays: int, tmp_path: Path) -> None:
    fake = FakeService(phases=[ACTIVE] * 9 + [["stopped", "autostopped"]])
    path = interrupted(fake, tmp_path)
    now = fake.counts["cam_get"]
    fake.inject = {f"cam_get#{now + n}": STRAY for n in range(1, strays + 1)}
    with Wire(fake) as wire:
        (result,) = Scene(wire.url, tmp_path).publish(journal=reopen(path)).results
    assert result.outcome is Outcome.SUCCESS
    assert (fake.counts["cam_create"], verbs(fake), fake.left()) == (1, [], {})


@pytest.mark.parametrize("name", ["img_get", "man_get"])
def test_resuming_sends_nothing_twice(name: str, tmp_path: Path) -> None:
    fake = FakeService(inject={"cam_create#*": {"status": 400, "message": "no"}})
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        # The roll-back does not come through either.
        for call in ("cam_list", "man_list", "img_list", "man_delete", "img_delete"):
            fake.inject[f"{call}#*"] = {"status": 401, "message": "?"}
        with pytest.raises(ServiceError, match="400"):
            scene.publish()
    (path,) = runs(scene.journals)
    fake.inject = {f"{name}#{fake.counts.get(name, 0) + 1}": STRAY}
    with Wire(fake) as wire:
        (result,) = Scene(wire.url, tmp_path).publish(journal=reopen(path)).results
    assert result.outcome is Outcome.SUCCESS
    assert (fake.counts["img_create"], fake.counts["man_create"], fake.left()) == (1, 1, {})


def test_resuming_after_somebody_deleted_the_campaign(tmp_path: Path) -> None:
    """It was started, so that devices may have the update: another one is not made."""
    fake = FakeService(phases=[ACTIVE])
    path = interrupted(fake, tmp_path)
    fake.objects["campaigns"].clear()
    with Wire(fake) as wire:
        (result,) = Scene(wire.url, tmp_path).publish(journal=reopen(path)).results
    assert (result.outcome, fake.counts["cam_create"], fake.left()) == (Outcome.GONE, 1, {})


def test_a_healthy_campaign_is_not_stopped_while_closing(tmp_path: Path) -> None:
    """One that runs again after it was over, as far as anybody could see, stays."""
    fake = FakeService(phases=[ACTIVE, ["stopped", "autostopped"], ACTIVE])
    with Wire(fake) as wire:
        publication = Scene(wire.url, tmp_path).publish()
    assert [str(one.kind.value) for one in publication.left] == ["campaign", "manifest", "image"]
    assert (verbs(fake), len(fake.left())) == ([], 3)


def two(scene: Scene) -> list[object]:
    return [scene.update("from-1.0.0"), scene.update("full")]


def test_at_the_timeout_one_of_two_is_gone(tmp_path: Path) -> None:
    fake = FakeService(phases=[ACTIVE], stats={"info": 1})
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        right = fake.handle

        def handle(call: Call) -> Reply | dict[str, object]:
            if fake.counts.get("cam_get", 0) > 5 and len(fake.objects["campaigns"]) == 2:
                fake.objects["campaigns"].popitem()
            return right(call)

        fake.handle = handle  # type: ignore[method-assign]
        publication = scene.publish(RunOptions(timeout=60), updates=two(scene))  # type: ignore[arg-type]
    assert [one.outcome for one in publication.results] == [Outcome.TIMED_OUT, Outcome.GONE]
    assert (publication.left, fake.left(), list(runs(scene.journals))) == ((), {}, [])


def test_at_the_timeout_the_service_is_away(tmp_path: Path) -> None:
    """The outcome is told, with what is left, and what goes on later."""
    fake = FakeService(phases=[ACTIVE], stats={"info": 1})
    pacing = dataclasses.replace(QUICK, step=2_000)
    wire = Wire(fake)
    with wire:
        scene = Scene(wire.url, tmp_path, pacing)

        def away(number: int, done: bool) -> None:
            if fake.counts.get("cam_get", 0) > 4:
                wire.faults = dict.fromkeys(range(number, 10_000), "reset-before")

        wire.on_request = away
        publication = scene.publish(RunOptions(timeout=60))
    assert [one.outcome for one in publication.results] == [Outcome.TIMED_OUT]
    assert [one.kind.value for one in publication.left] == ["campaign", "manifest", "image"]
    warnings = [e.text for e in scene.events if isinstance(e, Note) and e.warning]
    assert any("may be running" in text for text in warnings)
    (path,) = runs(scene.journals)
    assert any(f"cleanup {path.stem} --service {scene.url} --stop" in text for text in warnings)
    with Wire(fake) as wire:
        again = Scene(wire.url, tmp_path).publish(journal=reopen(path))
    assert (again.results[0].outcome, fake.left(), verbs(fake)) == (
        Outcome.TIMED_OUT, {}, ["stop"],
    )  # fmt: skip
