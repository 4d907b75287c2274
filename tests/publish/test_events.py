"""Progress on a terminal and in a pipe."""

from __future__ import annotations

import io
import sys

import pytest

from fotabuild.cli.output import Output
from fotabuild.cli.upload_events import Reporter
from fotabuild.publish.events import Event, Made, Note, Progress, Sending
from fotabuild.publish.outcome import Counts

STORY: list[Event] = [
    *(Sending("full", done, 1000) for done in range(0, 1001, 10)),
    Made("image", "full", "1", "a-name"),
    Progress("full", "active", "publishing", "", Counts(pending=2)),
    Progress("full", "active", "publishing", "", Counts(pending=2)),
    Progress("full", "active", "publishing", "", Counts(success=1, pending=1)),
    Progress("full", "stopped", "auto\x1b[2Jstopped", "[bold]every\x07 device", Counts(success=2)),
    Note("look [red]here[/red]", warning=True),
]


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self) -> bool:
        return True


def tell(monkeypatch: pytest.MonkeyPatch, stream: io.StringIO) -> str:
    monkeypatch.setattr(sys, "stderr", stream)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "120")
    for name in ("CI", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)
    with Reporter(Output()) as report:
        for event in STORY:
            report(event)
    return stream.getvalue()


def test_a_terminal_gets_bars(monkeypatch: pytest.MonkeyPatch) -> None:
    text = tell(monkeypatch, Terminal())
    assert "\x1b[" in text
    assert "sending full: 100 % of 1000 bytes" in text
    assert "[bold]every" in text
    assert "\x1b[2J" not in text
    assert "\x07" not in text
    assert "warning: look [red]here[/red]" in text


def test_a_pipe_gets_a_line_for_each_change(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Pipe(io.StringIO):
        encoding = "utf-8"

    lines = tell(monkeypatch, Pipe()).splitlines()
    assert lines == [
        "sending full: 0 % of 1000 bytes",
        "sending full: 100 % of 1000 bytes",
        "made image full: 1 (a-name)",
        "campaign full: active/publishing: 0 updated, 0 failed, 0 skipped, 2 pending",
        "campaign full: active/publishing: 1 updated, 0 failed, 0 skipped, 1 pending",
        "campaign full: stopped/auto\\x1b[2Jstopped ([bold]every\\x07 device): 2 updated, "
        "0 failed, 0 skipped, 0 pending",
        "warning: look [red]here[/red]",
    ]
    assert capsys.readouterr().out == ""
