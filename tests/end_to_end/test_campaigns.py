"""Campaigns of every kind on a real local server, with devices that decide for themselves."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from fotabuild.digest import sha256

from ..cli import sample
from ..command import Finished, run_fotabuild
from ..dropin.tools import ours
from .devices import Device, result_of
from .server import NOTHING, Server, wait_until

UPLOAD = ("upload", "app.elf", "-v", "1.1.0", "-o", "out", "--timeout", "90")


def make_project(server: Server, *changes: tuple[str, str]) -> Path:
    """The sample project, without its package."""
    folder = server.folder.parent / "project"
    sample.write(folder)
    text = sample.CONFIG.partition("package:")[0]
    for old, new in changes:
        assert text.count(old) == 1
        text = text.replace(old, new)
    (folder / "fotabuild.yaml").write_text(text, encoding="utf-8")
    return folder


def make_device(
    server: Server, project: Path, *options: str, version: str = "1.0.0", image: str = "old.bin"
) -> Device:
    folder = server.folder / "device"
    what = ("--image", image, "-v", version, "--name", "device", *options)
    done = run_fotabuild("device", "init", folder, *what, cwd=project)
    assert done.status == 0, done.stderr
    return Device(folder, server)


def upload(server: Server, project: Path, *options: str) -> Finished:
    return run_fotabuild(*UPLOAD, *options, cwd=project, env=server.environment)


def start(server: Server, project: Path, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "fotabuild", *UPLOAD, *options],
        cwd=project,
        env={**os.environ, **server.environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def post(server: Server, path: str) -> None:
    key = (server.folder / "data" / "access-key").read_text().strip()
    headers = {"Authorization": f"Bearer {key}"}
    with urlopen(Request(server.url + path, b"", headers, method="POST"), timeout=30):
        pass


def campaigns(server: Server) -> list[dict[str, Any]]:
    return server.objects("update-campaigns")


def phases(server: Server) -> list[str]:
    return [campaign["phase"] for campaign in campaigns(server)]


def check_updated(server: Server, device: Device, version: str = "1.1.0") -> None:
    shown = device.show()
    assert (shown["version"], shown["digest"]) == (version, sha256(sample.NEW).hex())
    assert server.left_over() == NOTHING
    assert server.unfinished_runs() == []


HUB = ("features: [delta, combined]", "features: [delta]\n  client: update-client-hub")
V1 = ("payload:", "formats: [v1]\npayload:")
BOTH = ("payload:", "formats: [v3, v1]\npayload:")


@pytest.mark.parametrize(
    ("changes", "options"), [((HUB, V1), ()), ((HUB, BOTH), ("--manifest", "v1"))]
)
@pytest.mark.parametrize("payload", ["delta", "full"])
def test_v1_manifests_reach_the_older_client(
    changes: tuple[tuple[str, str], ...], options: tuple[str, ...], payload: str, server: Server
) -> None:
    project = make_project(server, *changes)
    device = make_device(server, project)
    life = device.start("--once")
    done = upload(server, project, *options, *(("--full",) if payload == "full" else ()))
    assert done.status == 0, done.stderr
    update = result_of(life)
    assert (update["event"], update["payload"].split(",")[0].split()[0]) == ("UPD4_OK_100", payload)
    check_updated(server, device)


def test_the_older_client_refuses_v3(server: Server) -> None:
    project = make_project(server, HUB, BOTH)
    device = make_device(server, project)
    life = device.start("--once")
    done = upload(server, project)
    assert done.status == 5, done.stderr
    assert "UPD4_FAIL_214" in done.stdout
    assert "the device reads another version of manifests" in done.stdout
    stdout, _ = life.communicate(timeout=60)
    assert "the device reads 1" in json.loads(stdout)["updates"][0]["problem"]
    assert device.show()["version"] == "1.0.0"


@pytest.mark.parametrize(
    "options", [("--encrypt",), ("--short-url",), ("--package",), ("--manifest", "v3")]
)
def test_what_v1_has_not_is_said_before_anything_is_sent(
    options: tuple[str, ...], server: Server
) -> None:
    project = make_project(server, V1)
    done = upload(server, project, *options)
    assert (done.status, "v1" in done.stderr or "v3" in done.stderr) == (2, True), done.stderr
    assert (server.left_over(), server.unfinished_runs()) == (NOTHING, [])


def test_the_drop_in_command_updates_a_device_by_number(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``update-v1`` with time stamps, then the step to semantic versions."""
    monkeypatch.setenv("FOTABUILD_PUBLISH_JOURNAL", str(server.journal))
    folder = server.folder / "dev"
    folder.mkdir()
    (folder / "old.bin").write_bytes(sample.OLD)
    (folder / "new.bin").write_bytes(sample.NEW)
    key = (server.folder / "data" / "access-key").read_text().strip()
    done = ours("manifest-dev-tool", "init", "-a", key, "-u", server.url, cwd=folder)
    assert done.status == 0, done.stderr
    device = make_device(
        server,
        folder,
        *("--resources", "update_default_resources.c", "--manifest", "v1"),
        version="1600000000",
    )
    life = device.start()
    try:
        call = ("update-v1", "-p", "new.bin", "--wait-for-completion", "-t", "90")
        done = ours("manifest-dev-tool", *call, "-v", "1700000000", cwd=folder)
        assert done.status == 0, done.stderr
        wait_until(lambda: device.show()["version"] == "1700000000", "the first update")
        # Not newer: the device says so, and the command does not call it a success.
        done = ours("manifest-dev-tool", *call, "-v", "1650000000", cwd=folder)
        assert (done.status, "UPD4_FAIL_221" in done.stdout) == (1, True)
        done = ours("manifest-dev-tool", *call, "--fw-migrate-ver", "1.1.0", cwd=folder)
        assert done.status == 0, done.stderr
    finally:
        life.terminate()
        life.communicate()
    check_updated(server, device)


ENCRYPTED = ("features: [delta, combined]", "features: [delta, encrypted]")


def test_the_server_encrypts_and_the_device_decrypts(server: Server) -> None:
    project = make_project(server, ENCRYPTED)
    device = make_device(server, project)
    life = device.start("--once")
    done = upload(server, project, "--encrypt")
    assert done.status == 0, done.stderr
    update = result_of(life)
    # Eight more bytes for each 1016, and the image itself is what is installed.
    size = len(sample.NEW) + 8 * -(-len(sample.NEW) // 1016)
    assert update["payload"] == f"encrypted-raw, {size} bytes"
    check_updated(server, device)


def test_the_drop_in_command_encrypts_too(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOTABUILD_PUBLISH_JOURNAL", str(server.journal))
    project = make_project(server, ENCRYPTED)
    (project / "new.bin").write_bytes(sample.NEW)
    key = (server.folder / "data" / "access-key").read_text().strip()
    vendor = ("--vendor-id", "fa6b4a53-d5ad-5fdf-be9d-e663e4d41ffe")
    init = ("init", "-a", key, "-u", server.url, *vendor)
    assert ours("manifest-dev-tool", *init, cwd=project).status == 0
    device = make_device(server, project, "--resources", "update_default_resources.c")
    life = device.start("--once")
    call = ("update", "-p", "new.bin", "-v", "1.1.0", "-e", "-w", "-t", "90")
    done = ours("manifest-dev-tool", *call, cwd=project)
    assert done.status == 0, done.stderr
    assert result_of(life)["payload"].startswith("encrypted-raw")
    check_updated(server, device)


def test_a_campaign_waits_for_approval(server: Server) -> None:
    project = make_project(server)
    device = make_device(server, project)
    life = device.start("--once")
    client = start(server, project, "--approval")
    wait_until(lambda: phases(server) == ["awaiting_approval"], "it waits for somebody")
    assert device.show()["version"] == "1.0.0"
    post(server, f"/v3/update-campaigns/{campaigns(server)[0]['id']}/approve")
    stdout, stderr = client.communicate(timeout=60)
    assert (client.returncode, "success" in stdout) == (0, True), stderr
    result_of(life)
    check_updated(server, device)


def test_a_campaign_begins_at_its_time(server: Server) -> None:
    project = make_project(server)
    device = make_device(server, project)
    life = device.start("--once")
    moment = datetime.now(timezone.utc).replace(microsecond=0) + timedelta(seconds=10)
    client = start(server, project, "--start-at", moment.astimezone().isoformat())
    wait_until(lambda: phases(server) == ["timed"], "it waits for its time")
    assert campaigns(server)[0]["when"].startswith(moment.strftime("%Y-%m-%dT%H:%M:%S"))
    assert device.show()["version"] == "1.0.0"
    stdout, stderr = client.communicate(timeout=60)
    assert (client.returncode, "success" in stdout) == (0, True), stderr
    assert datetime.now(timezone.utc) >= moment
    result_of(life)
    check_updated(server, device)
