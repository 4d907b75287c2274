"""The journal: private, locked, and readable after a kill at any byte."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from fotabuild.errors import FileError, JournalError
from fotabuild.publish.journal import Journal, begin, reopen
from fotabuild.publish.journal_folder import default_folder, path_of, runs
from fotabuild.publish.values import Kind

URL = "https://acme.com"


def filled(folder: Path) -> Path:
    journal = begin(folder, URL, {"options": {"image": "a"}})
    journal.record_plan({"groups": []})
    image = journal.intend(Kind.IMAGE, "full", "an-image")
    journal.made(image, "1" * 32)
    manifest = journal.intend(Kind.MANIFEST, "full", "a-manifest")
    journal.gone(manifest)
    journal.intend(Kind.CAMPAIGN, "full", "a-campaign")
    journal.order_start("full")
    journal.finish([{"key": "full"}])
    journal.close()
    return journal.path


def described(journal: Journal) -> object:
    entries = [(e.kind, e.key, e.name, e.id, e.gone) for e in journal.entries]
    return entries, journal.plan, journal.start_ordered("full"), journal.results


def test_what_is_written_is_read(tmp_path: Path) -> None:
    journal = reopen(filled(tmp_path))
    assert described(journal) == (
        [
            (Kind.IMAGE, "full", "an-image", "1" * 32, False),
            (Kind.MANIFEST, "full", "a-manifest", None, True),
            (Kind.CAMPAIGN, "full", "a-campaign", None, False),
        ],
        {"groups": []},
        True,
        [{"key": "full"}],
    )
    assert journal.service == URL
    assert journal.find(Kind.MANIFEST, "full") is None
    journal.close()


def test_a_kill_at_any_byte_loses_at_most_the_last_line(tmp_path: Path) -> None:
    data = filled(tmp_path).read_bytes()
    cut = tmp_path / "cut.jsonl"
    for size in range(len(data) + 1):
        cut.write_bytes(data[:size])
        journal = reopen(cut)
        complete = data[:size].count(b"\n")
        assert len(journal.entries) == sum(
            json.loads(line)["event"] == "intent" for line in data.splitlines()[:complete]
        )
        # It is written on behind the last whole line.
        journal.keep()
        journal.close()
        if complete:
            again = reopen(cut)
            assert again.kept
            again.close()


def test_every_line_is_on_the_disk_before_anything_is_sent(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[int] = []
    right = os.fsync

    def sync(descriptor: int) -> None:
        synced.append(os.fstat(descriptor).st_size)
        right(descriptor)

    monkeypatch.setattr(os, "fsync", sync)
    data = filled(tmp_path).read_bytes()
    ends = [n + 1 for n, byte in enumerate(data) if byte == ord("\n")]
    assert set(ends) <= set(synced)


def test_it_is_private(tmp_path: Path) -> None:
    path = filled(tmp_path / "new" / "folder")
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_one_process_at_a_time(tmp_path: Path) -> None:
    path = filled(tmp_path)
    first = reopen(path)
    with pytest.raises(JournalError, match="another process"):
        reopen(path)
    first.close()
    reopen(path).close()


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b"[]",
        b"{}",
        b'{"event": "odd"}',
        b'{"event": "made", "kind": "image", "name": "unknown", "id": "1"}',
        b'{"event": "intent", "kind": "odd", "key": "a", "name": "b"}',
        b"\xff",
        b"[" * 100_000,
    ],
)
def test_other_lines_are_refused(line: bytes, tmp_path: Path) -> None:
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes() + line + b"\n")
    with pytest.raises(JournalError, match="not of a journal") as caught:
        reopen(path)
    assert caught.value.line == 10


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = filled(tmp_path)
    path.write_bytes(path.read_bytes().replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(JournalError, match="another version"):
        reopen(path)


@pytest.mark.parametrize("run", ["missing", "../x", "", "a/b", "a" * 65])
def test_runs_that_do_not_exist(run: str, tmp_path: Path) -> None:
    (tmp_path.parent / "x.jsonl").touch()
    with pytest.raises(JournalError, match="there is no run"):
        path_of(tmp_path, run)


def test_a_folder_that_cannot_be(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(JournalError, match=r"publish\.journal names another folder"):
        begin(tmp_path / "file" / "x", URL, {})
    with pytest.raises(FileError):
        reopen(tmp_path / "none.jsonl")
    assert list(runs(tmp_path / "none")) == []


def test_the_default_folder_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert default_folder({"XDG_STATE_HOME": "/state"}) == Path("/state/fotabuild/uploads")
    assert default_folder({}) == Path.home() / ".local/state/fotabuild/uploads"
