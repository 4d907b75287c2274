"""What a publisher tells while it works. People get lines, programs one JSON object each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import ClassVar

from fotabuild.publish.outcome import Counts


@dataclass(frozen=True)
class Event:
    """Something that happened."""

    name: ClassVar[str]


@dataclass(frozen=True)
class Note(Event):
    """Something worth knowing; ``warning`` when it may surprise."""

    name = "note"
    text: str
    warning: bool = False


@dataclass(frozen=True)
class Copied(Event):
    """A file has arrived in a folder or storage."""

    name = "copied"
    place: str
    size: int
    changed: bool


@dataclass(frozen=True)
class Sending(Event):
    """Bytes of a payload are on their way."""

    name = "sending"
    key: str
    done: int
    size: int


@dataclass(frozen=True)
class Made(Event):
    """An object was made on the service."""

    name = "made"
    kind: str
    key: str
    id: str
    label: str


@dataclass(frozen=True)
class Started(Event):
    """A campaign was started."""

    name = "started"
    key: str
    id: str


@dataclass(frozen=True)
class Progress(Event):
    """How a campaign stands."""

    name = "progress"
    key: str
    phase: str
    state: str
    reason: str
    counts: Counts | None


@dataclass(frozen=True)
class Deleted(Event):
    """An object was removed from the service."""

    name = "deleted"
    kind: str
    key: str
    label: str


Report = Callable[[Event], None]
