"""The journal of a run: what was made on a service, so that nothing is left behind.

One file per run, one JSON object per line, each line on the disk before the next request is sent.
An object is written down by its unique name before the request that makes it, and by its id after.
Whatever kills the program in between, the name finds the object again. The access key is never in
it. The file goes when nothing of the run is left on the service.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fotabuild.errors import FileError, JournalError
from fotabuild.files.folders import sync_folder
from fotabuild.files.locks import try_lock
from fotabuild.files.reading import read_file
from fotabuild.publish.journal_folder import ELSEWHERE, SUFFIX
from fotabuild.publish.journal_state import Entry, State, apply
from fotabuild.publish.values import Kind

_LIMIT = 16 * 1024 * 1024
_FORMAT = 1


class Journal:
    """The journal of one run, locked while it is open. Made by :func:`begin` or :func:`reopen`."""

    def __init__(self, path: Path, descriptor: int, state: State) -> None:
        self.path = path
        self._descriptor = descriptor
        self._state = state
        # Where the last whole line ends, and whether there may be half a line behind it.
        self._end = os.fstat(descriptor).st_size
        self._torn = False

    @property
    def run(self) -> str:
        """The id of the run."""
        return self.path.name.removesuffix(SUFFIX)

    @property
    def header(self) -> Mapping[str, Any]:
        """What the run began with: service, time, arguments."""
        return self._state.header

    @property
    def service(self) -> str:
        """The URL of the service."""
        return str(self._state.header.get("service", ""))

    @property
    def entries(self) -> tuple[Entry, ...]:
        """All objects, in the order in which they were made."""
        return tuple(self._state.entries)

    @property
    def plan(self) -> Mapping[str, Any] | None:
        """Which update goes to which devices, once decided."""
        return self._state.plan

    @property
    def results(self) -> list[dict[str, Any]] | None:
        """What became of the campaigns, once known."""
        return self._state.results

    @property
    def kept(self) -> bool:
        """Whether the objects were left on the service on purpose."""
        return self._state.kept

    @property
    def arguments(self) -> Mapping[str, Any]:
        """What ``fotabuild upload`` was called with; empty where another program began the run."""
        details = self.header.get("details")
        return details if isinstance(details, dict) and "options" in details else {}

    @property
    def cleanup_command(self) -> str:
        """What people type to remove the objects of the run; works without a configuration."""
        return f"fotabuild cleanup {self.run} --service {self.service}"

    def find(self, kind: Kind, key: str) -> Entry | None:
        """Return the latest object of a kind for an update."""
        found = [e for e in self._state.entries if (e.kind, e.key) == (kind, key) and not e.gone]
        return found[-1] if found else None

    def start_ordered(self, key: str) -> bool:
        """Return whether the start of an update's campaign was asked for."""
        return key in self._state.ordered

    def record_plan(self, plan: Mapping[str, Any]) -> None:
        """Write down which update goes to which devices."""
        self._write({"event": "plan", "plan": dict(plan)})

    def intend(self, kind: Kind, key: str, name: str) -> Entry:
        """Write down that an object of this name is about to be made."""
        self._write({"event": "intent", "kind": kind.value, "key": key, "name": name})
        return self._state.entries[-1]

    def made(self, entry: Entry, identifier: str) -> None:
        """Write down the id of an object."""
        self._write(
            {"event": "made", "kind": entry.kind.value, "name": entry.name, "id": identifier}
        )

    def gone(self, entry: Entry) -> None:
        """Write down that an object does not exist any more.

        On a full disk it is not written down: that costs a look later, and stops no clean-up.
        """
        values = {"event": "gone", "kind": entry.kind.value, "name": entry.name}
        try:
            self._write(values)
        except JournalError:
            apply(self._state, values)

    def order_start(self, key: str) -> None:
        """Write down that a campaign is about to be started."""
        self._write({"event": "start", "key": key})

    def finish(self, results: list[dict[str, Any]]) -> None:
        """Write down what became of the campaigns, before anything is deleted."""
        self._write({"event": "results", "results": results})

    def keep(self) -> None:
        """Write down that everything stays on the service on purpose."""
        self._write({"event": "kept"})

    def close(self) -> None:
        """Let others have the journal."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def remove(self) -> None:
        """Delete the file: nothing of the run is left on the service."""
        with contextlib.suppress(OSError):
            self.path.unlink()
        self.close()

    def _write(self, values: Mapping[str, Any]) -> None:
        data = (json.dumps(values, ensure_ascii=True) + "\n").encode()
        try:
            self._take_back()
            self._torn = True
            view = memoryview(data)
            while view:
                view = view[os.write(self._descriptor, view) :]
            os.fsync(self._descriptor)
        except OSError as error:
            with contextlib.suppress(OSError):
                self._take_back()
            raise JournalError(
                f"cannot write the journal: {error.strerror}", file=self.path, remedy=ELSEWHERE
            ) from None
        self._torn = False
        self._end += len(data)
        apply(self._state, dict(values))

    def _take_back(self) -> None:
        """Cut off what a failed write left: the next line would make nonsense of it."""
        if self._torn:
            os.ftruncate(self._descriptor, self._end)
            self._torn = False


def begin(folder: Path, service: str, details: Mapping[str, Any]) -> Journal:
    """Make the journal of a new run.

    Args:
        folder: where journals are; made if missing, for its owner only.
        service: the URL of the service.
        details: what ``--resume`` needs to know; no secrets.

    Raises:
        JournalError: it cannot be written.
    """
    run = f"{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}-{secrets.token_hex(3)}"
    path = folder / f"{run}{SUFFIX}"
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        flags = os.O_RDWR | os.O_APPEND | os.O_CREAT | os.O_EXCL
        descriptor = os.open(path, flags, 0o600)
    except OSError as error:
        raise JournalError(
            f"cannot make the journal: {error.strerror}", file=path, remedy=ELSEWHERE
        ) from None
    _lock(descriptor, path)
    journal = Journal(path, descriptor, State())
    try:
        journal._write(
            {"event": "run", "format": _FORMAT, "service": service, "details": dict(details)}
        )
    except JournalError:
        journal.remove()
        raise
    sync_folder(folder)
    return journal


def reopen(path: Path) -> Journal:
    """Open the journal of an earlier run.

    Raises:
        JournalError: another process works on it, or it is no journal.
        FileError: it cannot be read.
    """
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_APPEND)
    except OSError as error:
        raise FileError(f"cannot open the journal: {error.strerror}", file=path) from None
    try:
        _lock(descriptor, path)
        data = read_file(path, _LIMIT, "journal")
        state = State()
        end = data.rfind(b"\n") + 1
        for number, line in enumerate(data[:end].splitlines(), 1):
            try:
                apply(state, json.loads(line))
            except (ValueError, LookupError, TypeError, RecursionError):
                raise JournalError(
                    "this line is not of a journal", file=path, line=number
                ) from None
        if state.header.get("format") != _FORMAT:
            if end:
                raise JournalError(
                    "this journal is of another version of fotabuild",
                    file=path,
                    remedy="use the version that made it",
                )
            # Killed before the first line: nothing was sent to anybody.
            state.header = {"format": _FORMAT, "service": ""}
        # The end of a line that a kill cut short belongs to no request that was sent.
        os.ftruncate(descriptor, end)
    except BaseException:
        os.close(descriptor)
        raise
    return Journal(path, descriptor, state)


def _lock(descriptor: int, path: Path) -> None:
    """Keep other processes away; the lock ends with this process, however it ends."""
    with contextlib.suppress(OSError):  # Not every network drive knows locks.
        if not try_lock(descriptor):
            busy = JournalError("another process works on this run", file=path)
            busy.in_use = True
            raise busy
