"""One thing goes wrong with one request of a full campaign, for every request and every fault.

Wanted: the campaign succeeds all the same, the client says so, and nothing is left behind.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.errors import FotabuildError, ServiceError
from fotabuild.publish.journal import reopen
from fotabuild.publish.journal_folder import runs
from fotabuild.publish.outcome import Outcome
from fotabuild.publish.pacing import Pacing
from fotabuild.publish.undo import Undo

from .fake_service import FakeService
from .scene import QUICK, Scene, impatient
from .wire import FAULTS, SILENT, Wire

IN_CHUNKS = dataclasses.replace(QUICK, one_request=1000, chunk=600)
FLOWS: dict[str, tuple[Pacing, Callable[[], FakeService]]] = {
    "small": (QUICK, FakeService),
    "job": (IN_CHUNKS, lambda: FakeService(job_delay=1)),
}
# Behind the image the two are the same.
OWN_REQUESTS = {"job": 12}
OBJECTS = {
    "small": ("image", "manifest", "campaign"),
    "job": ("job", "image", "manifest", "campaign"),
}
each_flow = pytest.mark.parametrize("flow", FLOWS)


def run(folder: Path, flow: str, faults: dict[int, str]) -> tuple[FakeService, int, str]:
    """Return the service after a campaign, the number of requests, and what came out."""
    pacing, make = FLOWS[flow]
    if SILENT & {*faults.values()}:
        pacing = impatient(pacing)
    folder.mkdir(exist_ok=True)
    fake = make()
    with Wire(fake, faults) as wire:
        scene = Scene(wire.url, folder, pacing)
        try:
            results = scene.publish().results
            came_out = "+".join(result.outcome.value for result in results)
        except FotabuildError as error:
            came_out = str(error)
        left_here = [str(path) for path in runs(scene.journals)]
        if left_here:
            came_out += f", journals {left_here}"
    return fake, wire.count, came_out


@each_flow
@pytest.mark.parametrize("fault", FAULTS)
def test_one_fault_changes_nothing(
    flow: str, fault: str, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    _, count, came_out = run(tmp_path / "good", flow, {})
    assert came_out == Outcome.SUCCESS.value
    orphans: list[str] = []
    wrong: list[str] = []
    for number in range(OWN_REQUESTS.get(flow, count)):
        fake, _, came_out = run(tmp_path / str(number), flow, {number: fault})
        call = str(fake.calls[number])
        if fake.left():
            orphans.append(f"{number} {call}: {fake.left()}")
        if came_out != Outcome.SUCCESS.value:
            wrong.append(f"{number} {call}: {came_out}")
        if not fault.startswith("duplicate") and fake.made != len(OBJECTS[flow]):
            wrong.append(f"{number} {call}: {fake.made} objects instead of {OBJECTS[flow]}")
        if any(request.path.endswith("/stop") for request in fake.calls):
            wrong.append(f"{number} {call}: a healthy campaign was stopped")
    count = OWN_REQUESTS.get(flow, count)
    figure(f"{fault}, {flow}: orphans {len(orphans)} of {count}, wrong {len(wrong)} of {count}")
    assert (orphans, wrong) == ([], [])


@each_flow
def test_a_service_that_goes_away_for_good(
    flow: str, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """The client says so, keeps its journal, and a clean-up later leaves nothing."""
    pacing, make = FLOWS[flow]
    pacing = dataclasses.replace(pacing, step=2_000, silence=500, conflict=1, late_numbers=1)
    _, count, _ = run(tmp_path / "good", flow, {})
    orphans, wrong = [], []
    for number in range(count):
        folder = tmp_path / str(number)
        folder.mkdir()
        fake = make()
        with Wire(fake, dict.fromkeys(range(number, 10000), "reset-before")) as wire:
            scene = Scene(wire.url, folder, pacing)
            try:
                publication = scene.publish()
                if not publication.left and fake.left():
                    wrong.append(f"{number}: claims that nothing is left")
            except ServiceError:
                pass
        with Wire(fake) as wire:
            scene = Scene(wire.url, folder, pacing)
            for path in runs(scene.journals):
                journal = reopen(path)
                left = Undo(scene.service, journal, scene.events.append, stop=True).run()
                if left:
                    wrong.append(f"{number}: {left}")
        if fake.left():
            orphans.append(f"{number}: {fake.left()}")
    figure(f"outage, {flow}: orphans {len(orphans)} of {count}, wrong {len(wrong)} of {count}")
    assert (orphans, wrong) == ([], [])
