from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from ..cli import sample
from ..conftest import ROOT
from .fake_service import KEY, FakeService
from .wire import Wire

CONFIG_SERVICE = "publish:\n  service: {url}\n  journal: journals\n"


@dataclass
class Forked:
    """A running ``fotabuild``."""

    zygote: subprocess.Popen[str]
    folder: Path
    pid: int
    ended: bool = False

    def kill(self, number: int = signal.SIGKILL) -> None:
        with suppress(ProcessLookupError):
            os.kill(self.pid, number)

    def wait(self) -> int:
        status = answer(self.zygote, "status")
        self.ended = True
        return status

    @property
    def stderr(self) -> str:
        return (self.folder / "stderr.txt").read_text(encoding="utf-8")

    @property
    def stdout(self) -> str:
        return (self.folder / "stdout.txt").read_text(encoding="utf-8")


def answer(zygote: subprocess.Popen[str], what: str) -> int:
    """Return a number that the zygote tells."""
    assert zygote.stdout is not None
    said, number = zygote.stdout.readline().split()
    assert said == what
    return int(number)


class Zygote:
    """Starts ``fotabuild`` quickly, in processes that can be killed."""

    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.publish.zygote"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            encoding="utf-8",
            cwd=ROOT,
            env={k: v for k, v in os.environ.items() if not k.startswith("FOTABUILD_")},
        )
        self._last: Forked | None = None

    def start(self, folder: Path, *argv: str, env: dict[str, str] | None = None) -> Forked:
        assert self._process.stdin is not None
        self._end_last()
        for name in ("stdout.txt", "stderr.txt"):
            (folder / name).unlink(missing_ok=True)
        order = {
            "argv": argv,
            "folder": str(folder),
            "env": {"FOTABUILD_ACCESS_KEY": KEY, **(env or {})},
        }
        self._process.stdin.write(json.dumps(order) + "\n")
        self._process.stdin.flush()
        self._last = Forked(self._process, folder, answer(self._process, "pid"))
        return self._last

    def _end_last(self) -> None:
        """A test that failed may have left a client; its end is no answer to the next test."""
        if self._last is not None and not self._last.ended:
            self._last.kill()
            self._last.wait()

    def close(self) -> None:
        self._end_last()
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.stdout.close()
        self._process.wait(timeout=30)


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    process = Zygote()
    yield process
    process.close()


@pytest.fixture
def fake() -> FakeService:
    return FakeService()


@pytest.fixture
def wire(fake: FakeService) -> Iterator[Wire]:
    with Wire(fake) as wire:
        yield wire


@pytest.fixture
def project(tmp_path: Path, wire: Wire) -> Path:
    """The sample project, with the fake service as its service."""
    return make_project(tmp_path / "project", wire.url)


def make_project(folder: Path, url: str) -> Path:
    sample.write(folder)
    file = folder / "fotabuild.yaml"
    text = file.read_text(encoding="utf-8") + CONFIG_SERVICE.format(url=url)
    file.write_text(text, encoding="utf-8")
    return folder
