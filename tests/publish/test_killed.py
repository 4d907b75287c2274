"""The client is killed at each request of an upload, before and after the service has done it.

Afterwards ``--resume`` ends with the right outcome, or ``cleanup`` undoes it; nothing is left.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.digest import sha256

from ..cli.sample import OLD
from .conftest import Forked, Zygote, make_project
from .fake_service import FakeService
from .wire import Wire

UPLOAD = ("upload", "app.elf", "-v", "1.1.0", "-o", "out")
FLEET = [
    {"id": "a" * 32, "state": "registered", "firmware_checksum": sha256(OLD).hex()},
    {"id": "b" * 32, "state": "registered", "firmware_checksum": "5" * 64},
]
AFTERS = {"resume": ("upload", "--resume"), "cleanup": ("cleanup", "--stop")}


class Killer:
    """Kills the client at one request."""

    def __init__(self, number: int, done: bool) -> None:
        self._at = (number, done)
        self.client: Forked | None = None

    def __call__(self, number: int, done: bool) -> None:
        if (number, done) == self._at and self.client is not None:
            self.client.kill()


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, zygote: Zygote) -> Path:
    """A project whose artifacts are built, so that the rest is quick."""
    folder = tmp_path_factory.mktemp("killed") / "project"
    fake = FakeService(fleet=FLEET)
    with Wire(fake) as wire:
        make_project(folder, wire.url)
        client = zygote.start(folder, *UPLOAD)
        assert client.wait() == 0, client.stderr
    assert fake.left() == {}
    (folder / "requests.txt").write_text(str(len(fake.calls)))
    return folder


def test_the_campaigns_are_two(project: Path) -> None:
    """What the tests below kill: a delta and a full image, in one run."""
    assert int((project / "requests.txt").read_text()) >= 30


@pytest.mark.parametrize("done", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("after", AFTERS)
def test_killed_at_each_request(
    after: str, done: bool, project: Path, zygote: Zygote, figure: Callable[[str], None]
) -> None:
    count = int((project / "requests.txt").read_text())
    orphans, wrong, killed = [], [], 0
    for number in range(count):
        fake = FakeService(fleet=FLEET)
        killer = Killer(number, done)
        with Wire(fake, on_request=killer) as wire:
            env = {"FOTABUILD_PUBLISH_SERVICE": wire.url}
            client = killer.client = zygote.start(project, *UPLOAD, "--built", env=env)
            if client.wait() == -signal.SIGKILL:
                killed += 1
            call = f"{number} {fake.calls[number]}"
            began = any((project / "journals").glob("*.jsonl"))
            if began:
                client = zygote.start(project, *AFTERS[after], env=env)
                status = client.wait()
                if status != 0:
                    wrong.append(f"{call}: status {status}: {client.stderr}")
                if after == "resume" and "from-1.0.0: success" not in client.stdout:
                    wrong.append(f"{call}: {client.stdout}")
        left_here = list((project / "journals").glob("*.jsonl"))
        if fake.left() or left_here:
            orphans.append(f"{call}: {fake.left()} {left_here}")
            for path in left_here:
                path.unlink()
    when = "after" if done else "before"
    figure(
        f"killed {when} the service did it, {after}: {killed} of {count} killed, orphans "
        f"{len(orphans)} of {count}, wrong outcomes {len(wrong)} of {count}"
    )
    assert (orphans, wrong) == ([], [])
    assert killed >= count - 1
