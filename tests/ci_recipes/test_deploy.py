"""The last job of the recipes, which is there only where a variable names a service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fotabuild.digest import sha256

from ..command import run_fotabuild
from ..conftest import VECTORS
from ..end_to_end.devices import Device, result_of
from ..end_to_end.server import NOTHING, Server
from .pipeline import Job, Run
from .scene import PASSPHRASE, SYSTEMS, Scene, link, make_scene

TAG = "v1.1.0"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    with Server(tmp_path / "server") as server:
        yield server


def access_key(server: Server) -> str:
    return (server.folder / "data" / "access-key").read_text(encoding="utf-8").strip()


def make_device(scene: Scene, server: Server) -> Device:
    """A device that runs the release of the store."""
    folder = server.folder / "thermometer"
    image = VECTORS / "firmware" / "fw-1.0.0.bin"
    what = ("--image", image, "-v", "1.0.0", "--name", folder.name)
    done = run_fotabuild("device", "init", folder, *what, cwd=scene.repository)
    assert done.status == 0, done.stderr
    return Device(folder, server)


def values_of(job: Job) -> set[str]:
    """Everything that the lines of a job are told."""
    return {value for one in job.actions if isinstance(one, Run) for value in one.env.values()}


@pytest.mark.parametrize("system", SYSTEMS)
def test_devices_get_what_the_other_jobs_made(system: str, server: Server, tmp_path: Path) -> None:
    secret = access_key(server)
    scene = make_scene(system, tmp_path, {"DEPLOY_TO": server.url}, secret)
    link(scene.repository, "1.1.0")
    jobs = scene.jobs(TAG)
    assert [job.name for job in jobs] == ["prepare", "sign", "publish", "deploy"]
    assert jobs[-1].environment == "deploying"
    for job in jobs[:-1]:
        scene.run(job, TAG)
        assert secret not in values_of(job)
    assert server.objects("update-campaigns") == []
    device = make_device(scene, server)
    life = device.start("--once")
    scene.run(jobs[-1], TAG)
    assert result_of(life)["payload"].startswith("delta, ")
    image = (VECTORS / "firmware" / "fw-1.1.0.bin").read_bytes()
    shown = device.show()
    assert (shown["version"], shown["digest"]) == ("1.1.0", sha256(image).hex())
    assert server.left_over() == NOTHING
    runner = scene.runner
    [call] = [line for line in runner.calls.read_text().splitlines() if server.url in line]
    assert " --timeout 3000" in call
    for text in (runner.calls.read_text(), runner.printed):
        assert secret not in text
        assert PASSPHRASE not in text
    for place in ("jobs", "handed", "kept", "home"):
        for path in (runner.work / place).rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


def test_a_delta_over_the_threshold_is_no_obstacle(server: Server, tmp_path: Path) -> None:
    """It was left out where payloads are made; the devices of its release get the full image."""
    scene = make_scene("gitlab", tmp_path, {"DEPLOY_TO": server.url}, access_key(server))
    config = scene.repository / "fotabuild.yaml"
    config.write_text(config.read_text() + "delta: {threshold: 1}\n")
    link(scene.repository, "1.1.0")
    *others, deploy = scene.jobs(TAG)
    for job in others:
        scene.run(job, TAG)
    life = make_device(scene, server).start("--once")
    scene.run(deploy, TAG)
    assert result_of(life)["payload"].startswith("full")
    assert "campaign full: success" in scene.runner.printed


def test_without_an_access_key_nothing_is_sent(server: Server, tmp_path: Path) -> None:
    scene = make_scene("jenkins", tmp_path, {"DEPLOY_TO": server.url}, access_key="\n")
    link(scene.repository, "1.1.0")
    *others, deploy = scene.jobs(TAG)
    for job in others:
        scene.run(job, TAG)
    with pytest.raises(AssertionError, match="FB0905"):
        scene.run(deploy, TAG)
    assert "from this job's secrets" in scene.runner.printed
    assert server.left_over() == NOTHING
