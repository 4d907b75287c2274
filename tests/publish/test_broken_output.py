"""A reader of the output that goes away (``| head``, a closed terminal) takes nothing with it."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from fotabuild.cli.output import Output
from fotabuild.cli.upload_events import Reporter
from fotabuild.publish.journal_folder import runs
from fotabuild.publish.outcome import Outcome
from fotabuild.publish.run import publish_updates
from fotabuild.publish.updates import RunOptions

from .fake_service import FakeService
from .scene import Scene
from .wire import Wire


class Leaving(io.StringIO):
    """A stream whose reader leaves after some lines, or never was there."""

    def __init__(self, lines: int, error: type[Exception]) -> None:
        super().__init__()
        self._lines = lines
        self._error = error

    def write(self, text: str) -> int:
        if self.getvalue().count("\n") >= self._lines:
            raise self._error("no reader")
        return super().write(text)


@pytest.mark.parametrize("error", [BrokenPipeError, OSError, ValueError])
@pytest.mark.parametrize("as_json", [True, False])
def test_the_run_goes_on_to_its_end(
    error: type[Exception], as_json: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Leaving(2, error)
    monkeypatch.setattr(sys, "stdout" if as_json else "stderr", stream)
    output = Output(as_json=as_json, quiet=as_json)
    output.as_lines = True
    fake = FakeService()
    with Wire(fake) as wire, Reporter(output) as report:
        scene = Scene(wire.url, tmp_path)
        journal = scene.begin()
        done = publish_updates(scene.service, journal, [scene.update()], RunOptions(), report)
        journal.close()
    assert done.results[0].outcome is Outcome.SUCCESS
    assert (fake.left(), list(runs(scene.journals))) == ({}, [])
    assert stream.getvalue().count("\n") == 2
