"""Campaigns that wait for somebody or for a time, and services that do not know such."""

from __future__ import annotations

import argparse
import json
from pathlib import Path

import pytest

from fotabuild.cli.commands.upload import _moment
from fotabuild.errors import ExitStatus, ServiceError
from fotabuild.publish.journal_folder import runs
from fotabuild.publish.outcome import Outcome
from fotabuild.publish.updates import RunOptions

from .conftest import Zygote
from .fake_service import Call, FakeService, Reply
from .scene import Scene
from .wire import Wire

TIME = "2030-01-31T08:00:00Z"


class Forgetful(FakeService):
    """Ignores what it does not know, as services do with unknown fields."""

    def _cam_create(self, call: Call) -> Reply:
        reply = super()._cam_create(call)
        for name in ("approval_required", "when"):
            reply.body.pop(name, None)
            self.objects["campaigns"][reply.body["id"]].pop(name, None)
        return reply


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        (RunOptions(approval=True), {"approval_required": True}),
        (RunOptions(start_at=TIME), {"when": TIME}),
        (RunOptions(), {}),
    ],
)
def test_conditions_are_sent_and_checked(
    options: RunOptions, sent: dict[str, object], tmp_path: Path
) -> None:
    fake = FakeService()
    with Wire(fake) as wire:
        assert Scene(wire.url, tmp_path).publish(options).results[0].outcome is Outcome.SUCCESS
    (call,) = [call for call in fake.calls if str(call) == "POST /v3/update-campaigns"]
    body = json.loads(call.body)
    assert {name: body[name] for name in ("approval_required", "when") if name in body} == sent


@pytest.mark.parametrize("options", [RunOptions(approval=True), RunOptions(start_at=TIME)])
def test_a_service_that_would_begin_at_once_begins_nothing(
    options: RunOptions, tmp_path: Path
) -> None:
    fake = Forgetful()
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        with pytest.raises(ServiceError, match="knows no campaigns that wait"):
            scene.publish(options)
    assert fake.counts.get("cam_start", 0) == 0
    assert (fake.left(), list(runs(scene.journals))) == ({}, [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2030-01-31T08:00:00Z", TIME),
        ("2030-01-31t08:00:00z", TIME),
        ("2030-01-31T09:30:00+01:30", TIME),
        ("2030-01-31 08:00:00.5+00:00", TIME),
    ],
)
def test_times(text: str, expected: str) -> None:
    assert _moment(text) == expected


@pytest.mark.parametrize(
    "text", ["", "now", "2030-01-31", "2030-01-31T08:00:00", "0001-01-01T00:00:00+23:59", "9" * 50]
)
def test_no_times(text: str) -> None:
    with pytest.raises(argparse.ArgumentTypeError, match="no time with a zone"):
        _moment(text)


def test_resume_of_a_run_that_an_older_version_began(
    zygote: Zygote, fake: FakeService, project: Path, wire: Wire
) -> None:
    """Options that it did not know have their defaults; a folder that is gone is said."""
    upload = ("upload", "app.elf", "-v", "1.1.0", "-o", "out", "--no-wait")
    assert zygote.start(project, *upload).wait() == ExitStatus.OK
    (path,) = (project / "journals").iterdir()
    first, *rest = path.read_text().splitlines()
    values = json.loads(first)
    for name in ("start_at", "manifest"):
        del values["details"]["options"][name]
    values["details"]["options"]["wait"] = True
    path.write_text("\n".join([json.dumps(values), *rest, ""]))
    client = zygote.start(project, "upload", "--resume", path.stem)
    assert client.wait() == ExitStatus.OK, client.stderr
    assert fake.left() == {}
    values["details"]["folder"] = str(project / "gone")
    path.write_text("\n".join([json.dumps(values), ""]))
    client = zygote.start(project, "upload", "--resume", path.stem)
    assert client.wait() == ExitStatus.FAILED
    assert "No such file or directory" in client.stderr
    assert "Traceback" not in client.stderr
