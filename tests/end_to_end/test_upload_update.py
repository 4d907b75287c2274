"""``upload-update`` from each build system: devices end on the new version, nothing is left."""

from __future__ import annotations

import re
import time
from collections.abc import Callable

import pytest

from fotabuild.digest import sha256

from .conftest import HOSTS
from .devices import Device, result_of
from .hosts import Host, press_ctrl_c
from .server import NOTHING, Server, wait_until


def test_two_devices_are_updated_by_delta(
    host: Host, server: Server, figure: Callable[[str], None]
) -> None:
    devices = [Device.make(host, server, name) for name in ("first", "second")]
    lives = [device.start("--once") for device in devices]
    host.change_the_source()
    started = time.monotonic()
    status, output = host.upload()
    seconds = time.monotonic() - started
    assert status == 0, output
    assert "2 updated, 0 failed, 0 skipped, 0 pending" in output
    updates = [result_of(life) for life in lives]
    assert [update["event"] for update in updates] == ["UPD4_OK_100"] * 2
    assert all(update["payload"].startswith("delta, ") for update in updates), updates
    [image] = host.folder.rglob("app-1.1.0.bin")
    digest = sha256(image.read_bytes()).hex()
    for device in devices:
        assert (device.show()["version"], device.show()["digest"]) == ("1.1.0", digest)
    assert server.left_over() == NOTHING
    assert server.unfinished_runs() == []
    figure(f"{host.name}: 2 of 2 devices updated by delta, in {seconds:.1f} s with the build")


def test_a_delta_that_is_not_worth_it_is_no_obstacle(host: Host, server: Server) -> None:
    config = host.folder / "fotabuild.yaml"
    text, count = re.subn("threshold: [0-9]+", "threshold: 1", config.read_text(encoding="utf-8"))
    assert count == 1
    config.write_text(text, encoding="utf-8")
    device = Device.make(host, server, "first")
    life = device.start("--once")
    host.change_the_source()
    status, output = host.upload()
    assert status == 0, output
    assert "no delta app-1.0.0-to-1.1.0.patch, the full image is sent: " in output
    assert result_of(life)["payload"].startswith("full")
    assert device.show()["version"] == "1.1.0"
    assert server.left_over() == NOTHING


def test_again_there_is_nothing_to_update(host: Host, server: Server) -> None:
    life = Device.make(host, server, "first").start("--once")
    assert host.upload()[0] == 0
    result_of(life)
    status, output = host.upload()
    assert "1 up to date" in output, output
    assert status == 0
    assert server.left_over() == NOTHING


# With -j SCons runs the upload in a thread of its own, which signals do not reach.
@pytest.mark.parametrize("host", [*HOSTS, pytest.param("scons -j4", id="scons-j4")], indirect=True)
def test_ctrl_c_during_the_wait_leaves_nothing_behind(host: Host, server: Server) -> None:
    device = Device.make(host, server, "asleep")
    life = device.start()
    # It sleeps while the campaign runs, which waits for it.
    life.kill()
    life.communicate()
    upload = host.start()
    wait_until(lambda: _phases(server) == ["active"], "the campaign waits for the device")
    output = press_ctrl_c(upload)
    assert upload.returncode != 0, output
    assert server.left_over() == NOTHING, output
    assert server.unfinished_runs() == []
    assert device.show()["version"] == "1.0.0"
    log = server.log()
    # One signal, one end: stopped once, and each object removed once.
    assert log.count("/stop: 202") == 1
    assert log.count("DELETE /v3/") == 3


def _phases(server: Server) -> list[str]:
    return [campaign["phase"] for campaign in server.objects("update-campaigns")]
