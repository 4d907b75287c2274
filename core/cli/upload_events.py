"""How an upload shows itself: bars on a terminal, lines in a pipe, JSON lines for programs."""

from __future__ import annotations

import contextlib
import dataclasses
import os
import sys
import time
from contextlib import ExitStack
from types import TracebackType
from typing import Any

from fotabuild.cli.output import Output
from fotabuild.errors import printable
from fotabuild.publish.events import Copied, Deleted, Event, Made, Note, Progress, Sending, Started

# Seconds between two lines about the same thing, where nothing changes.
_PATIENCE = 30.0
_SENDING = 5.0


class Reporter:
    """Hears of events and shows them.

    Args:
        output: the two channels of the command line.
    """

    def __init__(self, output: Output) -> None:
        self._output = output
        self._said: dict[str, tuple[str, float]] = {}
        self._bars = _Bars() if _on_terminal(output) else None

    def __enter__(self) -> Reporter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._bars is not None:
            self._bars.close()

    def __call__(self, event: Event) -> None:
        """Show an event.

        A reader that has left, or a full disk behind stdout, stops no update and no clean-up.
        """
        for show in (self._show_to_programs, self._show_to_people):
            with contextlib.suppress(OSError, ValueError):
                show(event)

    def _show_to_programs(self, event: Event) -> None:
        if self._output.as_json and not self._is_repeated(event):
            values = {
                field.name: _plain(getattr(event, field.name))
                for field in dataclasses.fields(event)
            }
            self._output.result({"event": event.name, **values}, "")

    def _show_to_people(self, event: Event) -> None:
        if isinstance(event, (Sending, Progress)):
            self._show(event)
        elif isinstance(event, Note):
            (self._output.warn if event.warning else self._output.say)(printable(event.text))
        else:
            self._output.say(_line(event))

    def _is_repeated(self, event: Event) -> bool:
        """Return whether a program has just been told nearly the same."""
        if not isinstance(event, Sending) or event.done >= event.size:
            return False
        key, now = f"json {event.key}", time.monotonic()
        recent = now - self._said.get(key, ("", 0.0))[1] < 1
        if not recent:
            self._said[key] = ("", now)
        return recent

    def _show(self, event: Sending | Progress) -> None:
        if self._bars is not None:
            self._bars.show(event)
            return
        patience = _SENDING if isinstance(event, Sending) else _PATIENCE
        key = f"{event.name} {event.key}"
        text = _line(event)
        before, at = self._said.get(key, ("", 0.0))
        now = time.monotonic()
        steady = isinstance(event, Sending) and event.done < event.size
        if now - at < patience and (steady or text == before):
            return
        if text == before and isinstance(event, Sending):
            return
        self._said[key] = (text, now)
        self._output.say(text)


class _Bars:
    """One line per thing that goes on, through rich; opened at the first of them."""

    def __init__(self) -> None:
        self._exit = ExitStack()
        self._progress: Any = None
        self._tasks: dict[str, Any] = {}

    def show(self, event: Sending | Progress) -> None:
        if self._progress is None:
            from rich.console import Console
            from rich.markup import escape
            from rich.progress import BarColumn, TextColumn, TimeElapsedColumn
            from rich.progress import Progress as Live

            self._escape = escape
            columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
            self._progress = self._exit.enter_context(
                Live(*columns, console=Console(stderr=True), transient=False)
            )
        key = f"{event.name} {event.key}"
        if key not in self._tasks:
            self._tasks[key] = self._progress.add_task("", total=None)
        if isinstance(event, Sending):
            done, total = event.done, event.size
        else:
            counts = event.counts
            total = counts.total if counts is not None else 0
            done = total - counts.pending if counts is not None else 0
        self._progress.update(
            self._tasks[key],
            description=self._escape(_line(event)),
            total=total or None,
            completed=done,
        )

    def close(self) -> None:
        self._exit.close()


def _on_terminal(output: Output) -> bool:
    if output.as_json or output.quiet or "CI" in os.environ:
        return False
    return sys.stderr.isatty() and os.environ.get("TERM") != "dumb"


def _line(event: Event) -> str:
    """Return an event as a line for people; what a service said cannot steer their terminal."""
    return printable(_text(event))


def _text(event: Event) -> str:
    if isinstance(event, Sending):
        share = 100 * event.done // event.size if event.size else 100
        return f"sending {event.key}: {share} % of {event.size} bytes"
    if isinstance(event, Progress):
        phase = f"{event.phase}/{event.state}" if event.state else event.phase
        text = f"campaign {event.key}: {phase}"
        if event.reason:
            text += f" ({event.reason})"
        return text if event.counts is None else f"{text}: {event.counts}"
    if isinstance(event, Made):
        return f"made {event.kind} {event.key}: {event.id} ({event.label})"
    if isinstance(event, Started):
        return f"started campaign {event.key}: {event.id}"
    if isinstance(event, Deleted):
        return f"removed {event.kind} {event.key} ({event.label})"
    if isinstance(event, Copied):
        return f"{'copied' if event.changed else 'already there'}: {event.place}"
    return str(event)


def _plain(value: Any) -> Any:
    return dataclasses.asdict(value) if dataclasses.is_dataclass(value) else value  # type: ignore[arg-type]
