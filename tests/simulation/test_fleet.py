"""Many devices in one process."""

from __future__ import annotations

import os
import resource
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.errors import SimulationError
from fotabuild.simulation.fleet import allow_open_files, run_fleet
from fotabuild.simulation.network import make_pool
from fotabuild.simulation.server import UpdateServer

from ..device import scenes
from ..device.scenes import NEW, OLD
from .scene import PATH, Bench
from .service import Fault

COUNT = 40


@pytest.fixture
def server(bench: Bench) -> UpdateServer:
    return UpdateServer(bench.service.url, make_pool(COUNT))


def test_each_does_its_update(
    bench: Bench, server: UpdateServer, tmp_path: Path, figure: Callable[[str], None]
) -> None:
    bench.offer(scenes.delta())
    started = time.monotonic()
    result = run_fleet(bench.folder, tmp_path, server, COUNT, timeout=60)
    assert (result.updated, result.succeeded, dict(result.errors)) == (COUNT, True, {})
    assert result.events == {"UPD4_OK_100": COUNT}
    assert len(bench.service.registered) == COUNT
    images = [path.read_bytes() for path in tmp_path.glob("000*/image-*")]
    assert images == [NEW] * COUNT
    # The device that they are like is untouched.
    assert bench.image == OLD
    figure(f"{COUNT} devices updated in {time.monotonic() - started:.1f} s")


def test_counts_what_failed(bench: Bench, server: UpdateServer, tmp_path: Path) -> None:
    bench.service.faults[PATH] = [Fault(status=404)] * 3
    bench.offer(scenes.raw())
    result = run_fleet(bench.folder, tmp_path, server, 10, timeout=60)
    assert result.events == {"UPD4_OK_100": 7, "UPD4_FAIL_300": 3}
    assert not result.succeeded


def test_counts_who_was_offered_nothing(bench: Bench, server: UpdateServer, tmp_path: Path) -> None:
    result = run_fleet(bench.folder, tmp_path, server, 3, timeout=0.5)
    assert (result.idle, result.updated, dict(result.errors)) == (3, 0, {})
    assert not result.succeeded


def test_ends_in_time_although_bytes_trickle(
    bench: Bench, server: UpdateServer, tmp_path: Path
) -> None:
    bench.offer(scenes.raw())
    bench.service.trickle[PATH] = 0.5
    result = run_fleet(bench.folder, tmp_path, server, 3, timeout=1)
    assert (result.idle, dict(result.errors)) == (3, {})
    assert result.seconds < 15


def test_counts_who_was_refused(bench: Bench, server: UpdateServer, tmp_path: Path) -> None:
    bench.service.enrolment_token = "secret"
    told: list[str] = []
    result = run_fleet(bench.folder, tmp_path, server, 3, timeout=60, tell=told.append)
    assert sum(result.errors.values()) == 3
    assert told[-1] == "0 of 3 updated, 3 failed"


def test_goes_on_with_the_same_devices(bench: Bench, server: UpdateServer, tmp_path: Path) -> None:
    bench.offer(scenes.raw())
    assert run_fleet(bench.folder, tmp_path, server, 3, timeout=60).succeeded
    bench.service.reports.clear()
    bench.offer(scenes.raw().change(payload_version="1.2.0"))
    assert run_fleet(bench.folder, tmp_path, server, 3, timeout=60).succeeded
    assert len(bench.service.registered) == 3


def test_more_open_files_than_the_system_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (10, 20))
    changed: list[tuple[int, int]] = []
    monkeypatch.setattr(resource, "setrlimit", lambda _, limits: changed.append(limits))
    allow_open_files(15)
    assert changed == [(15, 20)]
    with pytest.raises(SimulationError, match="the system allows 20"):
        allow_open_files(21)


def test_a_system_without_hard_links(
    bench: Bench, server: UpdateServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_source: str, _target: str) -> None:
        raise OSError("no links here")

    monkeypatch.setattr(os, "link", refuse)
    bench.offer(scenes.raw())
    # only_new of the output set links, too, but the copies exist by then.
    assert run_fleet(bench.folder, tmp_path, server, 2, timeout=60).succeeded
