"""Builds that are killed or refused anywhere, and builds that meet another build."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from .operations import Kind

Harness = Callable[[str], dict[str, Any]]
# Resources, image, two deltas of two files each, package, factory image, four manifests.
FILES = 12


def test_killed_at_every_operation(harness: Harness) -> None:
    result = harness("kill")
    assert not result["bad"], "\n".join(result["bad"])
    assert result["points"] > 150
    assert set(result["kinds"]) == {kind.value for kind in Kind}


def test_refused_at_every_operation(harness: Harness) -> None:
    """A full disk, a folder that cannot be written to, a device that reports errors."""
    result = harness("fail")
    assert not result["bad"], "\n".join(result["bad"])
    assert result["points"] > 100


def test_two_builds_at_once(harness: Harness) -> None:
    result = harness("together")
    assert not result["bad"], "\n".join(result["bad"])


def test_nothing_is_written_but_temporary_files(harness: Harness) -> None:
    result = harness("audit")
    assert result["status"] == 0
    events: dict[str, list[list[str]]] = {}
    for name, *values in result["events"]:
        events.setdefault(name, []).append(values)
    temporary = re.compile(r"(.*/)\.([^/]+)\.[0-9a-f]{12}\.tmp")
    places = {}
    for path, *_ in events.pop("open"):
        match = temporary.fullmatch(path)
        assert match, f"{path} is opened for writing"
        places[path] = match[1] + match[2]
    renames = events.pop("os.rename")
    assert len(places) == len(renames) == FILES
    assert dict(renames) == places
    removed = {path for [path] in events.pop("os.remove")} - set(places)
    # Side files of patches, which would otherwise describe another patch for a moment.
    assert all(path.endswith(".yaml") for path in removed)
    events.pop("os.mkdir", None)
    assert events == {}
    # The kill and refuse tests interrupt the same operations, and no more happen.
    counted = result["counted"]
    assert counted.count(Kind.OPEN.value) == len(places)
    assert counted.count(Kind.RENAME.value) == len(renames)
    assert counted.count(Kind.REMOVE.value) == len(removed)
