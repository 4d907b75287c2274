"""A delta that is not worth it: devices of its release get the full image, the others theirs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fotabuild.digest import sha256
from fotabuild.formats.patch_stream import MAGIC

from ..cli import sample
from ..command import run_fotabuild
from .devices import Device, result_of
from .server import NOTHING, Server

UPLOAD = ("upload", "app.elf", "-v", "1.1.0", "-o", "out", "--timeout", "90")
#: Nothing of the new image is in it, so that a patch from it is as large as that.
STRANGE = bytes(range(256)) * 40 + MAGIC
RELEASES = sample.LISTED + "- version: 0.9.0\n  image: strange.bin\n"


@pytest.fixture
def project(server: Server) -> Path:
    """The sample project with two releases in the field: a delta from one of them is worth it."""
    folder = server.folder.parent / "project"
    sample.write(folder)
    (folder / "strange.bin").write_bytes(STRANGE)
    text = sample.CONFIG.partition("package:")[0].replace(sample.LISTED, RELEASES)
    (folder / "fotabuild.yaml").write_text(text, encoding="utf-8")
    return folder


def make_device(server: Server, project: Path, image: str, version: str) -> Device:
    folder = server.folder / version
    what = ("--image", image, "-v", version, "--name", version)
    done = run_fotabuild("device", "init", folder, *what, cwd=project)
    assert done.status == 0, done.stderr
    return Device(folder, server)


@pytest.mark.parametrize("built", [False, True])
def test_each_device_gets_what_is_worth_it(built: bool, server: Server, project: Path) -> None:
    if built:
        done = run_fotabuild("build", *UPLOAD[1:6], cwd=project)
        assert done.status == 0, done.stderr
    devices = [
        make_device(server, project, "old.bin", "1.0.0"),
        make_device(server, project, "strange.bin", "0.9.0"),
    ]
    lives = [device.start("--once") for device in devices]
    options = ["--built"] if built else []
    done = run_fotabuild("--json", *UPLOAD, *options, cwd=project, env=server.environment)
    assert done.status == 0, done.stderr
    payloads = [result_of(life)["payload"].split(",")[0].split()[0] for life in lives]
    assert payloads == ["delta", "full"]
    for device in devices:
        shown = device.show()
        assert (shown["version"], shown["digest"]) == ("1.1.0", sha256(sample.NEW).hex())
    result = json.loads(done.stdout.splitlines()[-1])
    assert [one["key"] for one in result["campaigns"]] == ["from-1.0.0", "full"]
    [note] = result["notes"]
    assert "no delta app-0.9.0-to-1.1.0.patch, the full image is sent" in note
    [line] = [line for line in done.stderr.splitlines() if "app-0.9.0-to-1.1.0" in line]
    assert note in line
    assert server.left_over() == NOTHING
    assert server.unfinished_runs() == []
