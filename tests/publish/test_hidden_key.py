"""An access key that a service repeats is hidden, however it is spelled."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import Any

import pytest

from fotabuild.publish.access_key import AccessKey

from .conftest import Zygote, make_project
from .fake_service import KEY, Call, FakeService, Reply
from .test_runs import UPLOAD
from .wire import Wire

ODD = 'ak_"quoted"\\back/slash<b>&1'


def escaped(key: str, share: float) -> str:
    """JSON text in which some characters are escapes, in either spelling of hexadecimal."""
    chance = random.Random(f"{key} {share}")
    parts = []
    for character in key:
        code = f"{ord(character):04x}"
        if chance.random() < share:
            parts.append("\\u" + (code if chance.random() < 0.5 else code.upper()))
        else:
            parts.append("\\/" if character == "/" else json.dumps(character)[1:-1])
    return "".join(parts)


@pytest.mark.parametrize("share", [0, 0.1, 0.5, 1])
@pytest.mark.parametrize("key", [KEY, ODD])
def test_escapes_of_json(key: str, share: float) -> None:
    secret = AccessKey(key, "env:TEST")
    text = f'{{"message": "your key {escaped(key, share)} is not good here"}}'
    assert json.loads(text)["message"] == f"your key {key} is not good here"
    wanted = {"message": "your key *** is not good here"}
    assert json.loads(secret.hide_bytes(text.encode())) == wanted
    assert secret.hide(f"plain {key}") == "plain ***"
    assert secret.hide_bytes(b"nothing \\u0061 here") == b"nothing \\u0061 here"


class Echo(FakeService):
    """Repeats the access key with every letter escaped."""

    def handle(self, call: Call) -> Reply | dict[str, Any]:
        reply = super().handle(call)
        if isinstance(reply, Reply) and isinstance(reply.body, dict):
            body = {**reply.body, "message": "@", "autostop_reason": "@"}
            text = json.dumps(body).replace("@", escaped(KEY, 1))
            reply.body = text.encode()
        return reply


@pytest.mark.parametrize("options", [(), ("--json",)])
@pytest.mark.parametrize("trouble", ["", "me#1", "cam_create#1", "dev_list#1"])
def test_it_is_in_no_output_and_no_file(
    options: tuple[str, ...], trouble: str, zygote: Zygote, tmp_path: Path
) -> None:
    fake = Echo(stats={"fail": 1}, phases=[["stopped", "quotaallocationfailed"]])
    if trouble:
        fake.inject = {trouble: {"status": 400 if trouble != "me#1" else 401, "message": "@"}}
    with Wire(fake) as wire:
        project = make_project(tmp_path / "project", wire.url)
        client = zygote.start(project, *options, *UPLOAD, "--no-cleanup")
        assert client.wait() != 0
    spellings = [KEY, escaped(KEY, 1).replace("\\u00", ""), escaped(KEY, 1)]
    for path in (path for path in project.rglob("*") if path.is_file()):
        for spelling in spellings:
            assert spelling.encode() not in path.read_bytes(), path
    assert "***" in client.stdout + client.stderr
