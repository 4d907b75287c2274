"""Fleets of simulated devices on the real server leave nothing behind."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from fotabuild.simulation import fleet
from fotabuild.simulation.fleet import FleetResult, run_fleet
from fotabuild.simulation.network import make_pool
from fotabuild.simulation.server import UpdateServer

from ..simulation.scene import make_device
from .harness import Running, make_manifest, wait_until

COUNT = 12


def run(
    server: Running, folder: Path, *, temporary: bool = True, timeout: float = 1
) -> FleetResult:
    folder.mkdir(exist_ok=True)
    update_server = UpdateServer(f"http://127.0.0.1:{server.port}", make_pool(COUNT))
    return run_fleet(
        make_device(folder / "like"), folder, update_server, COUNT,
        temporary=temporary, timeout=timeout,
    )  # fmt: skip


def names(server: Running) -> list[str]:
    found = server.client.good("GET", "/v3/devices?limit=1000").json["data"]
    return [device["endpoint_name"] for device in found]


def test_a_temporary_fleet_can_run_again_and_again(server: Running, tmp_path: Path) -> None:
    for number in range(3):
        result = run(server, tmp_path / str(number), timeout=0.5)
        assert (result.idle, dict(result.errors)) == (COUNT, {})
        assert names(server) == []


def test_a_killed_fleet_does_not_get_in_the_way(server: Running, tmp_path: Path) -> None:
    for number in range(1, COUNT + 1):
        server.device(f"device-{number:05}")
    result = run(server, tmp_path / "fleet", timeout=0.5)
    assert (result.idle, dict(result.errors)) == (COUNT, {})
    assert len(names(server)) == COUNT


def test_a_fleet_that_is_kept_stays(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(*_: object) -> None:
        wait_until(lambda: len(names(server)) == COUNT, "all are registered")

    monkeypatch.setattr(fleet, "_wait", wait)
    run(server, tmp_path / "fleet", temporary=False, timeout=60)
    assert sorted(names(server)) == [f"device-{number:05}" for number in range(1, COUNT + 1)]


def test_an_interrupted_fleet_leaves(
    server: Running, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """While its devices wait for the server, which they do most of the time."""
    before = threading.active_count()

    def interrupt(*_: object) -> None:
        wait_until(lambda: server.service.waiters.count == COUNT, "all wait")
        raise KeyboardInterrupt

    monkeypatch.setattr(fleet, "_wait", interrupt)
    with pytest.raises(KeyboardInterrupt):
        run(server, tmp_path / "fleet", timeout=60)
    assert names(server) == []
    wait_until(lambda: server.service.waiters.count == 0, "nobody waits")
    assert threading.active_count() < before + COUNT


def test_a_campaign_does_not_wait_for_devices_that_left(server: Running, tmp_path: Path) -> None:
    device = server.device("device")
    manifest = server.client.upload_manifest(make_manifest(b"x", "http://127.0.0.1/x"))
    campaign = server.client.campaign(
        root_manifest_id=manifest["id"], device_filter=f"id__eq={device.id}"
    )
    server.deploy(campaign)
    assert device.client("DELETE", "/device/v1/register").status == 204
    server.go(campaign, "stopped")
    assert server.client.counts(campaign)["skipped"] == 1
