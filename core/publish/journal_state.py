"""What the lines of a journal say: the objects of a run, and how far it came."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from fotabuild.publish.values import Kind


@dataclass
class Entry:
    """An object that was made, or may have been.

    Attributes:
        kind: what it is.
        key: the update that it belongs to, such as ``full``.
        name: its unique name.
        id: its id, once known.
        gone: whether it was deleted, or is known not to exist.
    """

    kind: Kind
    key: str
    name: str
    id: str | None = None
    gone: bool = False


@dataclass
class State:
    """All that is known of a run.

    Attributes:
        header: what it began with.
        entries: the objects, in the order in which they were made.
        plan: which update goes to which devices, once decided.
        ordered: the keys of campaigns whose start was asked for.
        results: what became of the campaigns, once known.
        kept: whether the objects were left on the service on purpose.
    """

    header: dict[str, Any] = field(default_factory=dict)
    entries: list[Entry] = field(default_factory=list)
    plan: dict[str, Any] | None = None
    ordered: set[str] = field(default_factory=set)
    results: list[dict[str, Any]] | None = None
    kept: bool = False


def apply(state: State, values: dict[str, Any]) -> None:
    """Take in one line.

    Raises:
        LookupError: something is missing in it, or it is about an object that was not begun.
        TypeError, ValueError: it is no line of a journal.
    """
    event = values["event"]
    if event == "run":
        state.header = values
    elif event == "plan":
        state.plan = values["plan"]
    elif event == "intent":
        state.entries.append(Entry(Kind(values["kind"]), values["key"], values["name"]))
    elif event in ("made", "gone"):
        kind = Kind(values["kind"])
        entry = [e for e in state.entries if (e.kind, e.name) == (kind, values["name"])][-1]
        if event == "gone":
            entry.gone = True
        else:
            entry.id = str(values["id"])
    elif event == "start":
        state.ordered.add(values["key"])
    elif event == "results":
        state.results = list(values["results"])
    elif event == "kept":
        state.kept = True
    else:
        raise ValueError(event)
