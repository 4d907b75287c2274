"""The disk of the client is full: the journal stays readable, and cleaning up goes on."""

from __future__ import annotations

import errno
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.errors import JournalError
from fotabuild.publish.events import Note
from fotabuild.publish.journal import begin, reopen
from fotabuild.publish.journal_folder import runs
from fotabuild.publish.outcome import Outcome
from fotabuild.publish.updates import Cleanup, RunOptions
from fotabuild.publish.values import Kind

from .fake_service import FakeService
from .scene import Scene
from .wire import Wire

URL = "https://acme.com"
Fill = Callable[[bytes, int], None]


@pytest.fixture
def fill(monkeypatch: pytest.MonkeyPatch) -> Fill:
    """Have the disk be full from the first line with a text on, after some bytes of that line."""
    right = os.write
    state: dict[str, object] = {"full": False}

    def start(text: bytes, room: int) -> None:
        def write(descriptor: int, data: bytes) -> int:
            if text in bytes(data) and not state["full"]:
                state["full"] = True
                if room:
                    return right(descriptor, bytes(data)[:room])
            if state["full"]:
                raise OSError(errno.ENOSPC, "No space left on device")
            return right(descriptor, data)

        monkeypatch.setattr(os, "write", write)

    return start


@pytest.mark.parametrize("room", [0, 1, 30])
def test_half_a_line_is_taken_back(
    room: int, fill: Fill, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    journal = begin(tmp_path, URL, {})
    image = journal.intend(Kind.IMAGE, "full", "an-image")
    before = journal.path.read_bytes()
    with monkeypatch.context():
        fill(b'"made"', room)
        with pytest.raises(JournalError, match="No space left"):
            journal.made(image, "1" * 32)
        assert journal.path.read_bytes() == before
        monkeypatch.undo()
    # There is room again, and the run goes on.
    journal.intend(Kind.MANIFEST, "full", "a-manifest")
    journal.close()
    again = reopen(journal.path)
    assert [(e.kind, e.id) for e in again.entries] == [(Kind.IMAGE, None), (Kind.MANIFEST, None)]
    again.close()


def test_half_a_line_that_cannot_be_taken_back_at_once(
    fill: Fill, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    journal = begin(tmp_path, URL, {})

    def refuse(*_: object) -> None:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(os, "ftruncate", refuse)
    fill(b'"kept"', 5)
    with pytest.raises(JournalError):
        journal.keep()
    monkeypatch.undo()
    journal.intend(Kind.IMAGE, "full", "an-image")
    journal.close()
    again = reopen(journal.path)
    assert [e.name for e in again.entries] == ["an-image"]
    again.close()


def test_a_journal_that_cannot_begin_leaves_no_file(fill: Fill, tmp_path: Path) -> None:
    fill(b'"run"', 10)
    with pytest.raises(JournalError, match="No space left"):
        begin(tmp_path, URL, {})
    assert list(tmp_path.iterdir()) == []


EVENTS = [b'"intent", "kind": "image"', b'"id": "00000000000000000000000000000001"',
          b'"intent", "kind": "manifest"', b'"id": "00000000000000000000000000000002"',
          b'"intent", "kind": "campaign"', b'"id": "00000000000000000000000000000003"',
          b'"start"']  # fmt: skip


@pytest.mark.parametrize("room", [0, 20])
@pytest.mark.parametrize("text", EVENTS)
def test_everything_is_rolled_back(text: bytes, room: int, fill: Fill, tmp_path: Path) -> None:
    fake = FakeService()
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        fill(text, room)
        with pytest.raises(JournalError, match="No space left"):
            scene.publish()
    assert (fake.left(), list(runs(scene.journals))) == ({}, [])


@pytest.mark.parametrize("text", [b'"results"', b'"gone"'])
def test_the_outcome_is_told_all_the_same(text: bytes, fill: Fill, tmp_path: Path) -> None:
    fake = FakeService()
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        fill(text, 20)
        publication = scene.publish()
    assert (publication.results[0].outcome, publication.left) == (Outcome.SUCCESS, ())
    assert (fake.left(), list(runs(scene.journals))) == ({}, [])


def test_what_stays_is_told_all_the_same(fill: Fill, tmp_path: Path) -> None:
    fake = FakeService()
    with Wire(fake) as wire:
        scene = Scene(wire.url, tmp_path)
        fill(b'"kept"', 5)
        publication = scene.publish(RunOptions(cleanup=Cleanup.NEVER))
    assert (publication.results[0].outcome, publication.kept) == (Outcome.SUCCESS, True)
    warnings = [e.text for e in scene.events if isinstance(e, Note) and e.warning]
    assert any("does not say that it stays" in text for text in warnings), warnings
    (path,) = runs(scene.journals)
    reopen(path).close()
