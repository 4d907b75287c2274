"""Writers at a URL that act in turns, one request at a time, and can be killed at any of them.

What a service sees of a killed writer is its requests up to a point and nothing after it. So a
writer is killed here by an exception that no request survives: in one process, which shows
hundreds of kills and interleavings in the time in which a few processes start.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from fotabuild.releases.places import open_storage
from fotabuild.releases.remote import RemoteStorage
from fotabuild.releases.store import ReleaseStore

_REQUESTS = {"cat_file", "cat_ranges", "find", "info", "pipe_file", "rm_file"}
PATIENCE = 60
Work = Callable[[ReleaseStore], object]


class Killed(BaseException):
    """This writer is no more."""


class _Gated:
    """A file system of fsspec that asks before each request."""

    def __init__(self, system: Any, before: Callable[[str], None]) -> None:
        self._system, self._before = system, before

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._system, name)
        if name not in _REQUESTS:
            return attribute

        def request(*arguments: Any, **options: Any) -> Any:
            for _ in arguments[0] if name == "cat_ranges" else (1,):
                self._before(name)
            return attribute(*arguments, **options)

        return request


def gated_store(url: str, before: Callable[[str], None]) -> ReleaseStore:
    """Return a store that calls ``before`` before each request."""
    storage = open_storage(url)
    assert isinstance(storage, RemoteStorage)
    storage._system = _Gated(storage._system, before)
    return ReleaseStore(storage)


def counted_store(url: str, requests: Counter[str]) -> ReleaseStore:
    """Return a store whose requests are counted by kind."""
    return gated_store(url, lambda kind: requests.update([kind]))


def run_until(url: str, work: Work, last: int | None = None) -> int:
    """Do some work and return how many requests it made; it is killed before number ``last``."""
    count = 0

    def before(_: str) -> None:
        nonlocal count
        if last is not None and count >= last:
            raise Killed
        count += 1

    try:
        work(gated_store(url, before))
    except Killed:
        assert last is not None
    return count


@dataclass
class Writer:
    """One of several writers.

    Attributes:
        work: what it does.
        killed: whether it was killed.
        error: what it raised.
    """

    work: Work
    killed: bool = False
    error: Exception | None = None
    ended: bool = False
    turn: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))
    done: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def run(self, url: str) -> None:
        """Work, waiting for a turn before each request."""
        try:
            self._wait()
            self.work(gated_store(url, self._before))
        except Killed:
            pass
        except Exception as error:
            self.error = error
        finally:
            self.ended = True
            self.done.release()

    def _before(self, _: str) -> None:
        self.done.release()
        self._wait()

    def _wait(self) -> None:
        assert self.turn.acquire(timeout=PATIENCE)
        if self.killed:
            # Clean-up in the writer must not make requests, either.
            self.turn.release()
            self.done.release()
            raise Killed

    def step(self) -> None:
        """Let it make one request and come to the next."""
        self.turn.release()
        assert self.done.acquire(timeout=PATIENCE)


def in_turns(url: str, works: Sequence[Work], seed: int, victims: int) -> list[Writer]:
    """Run writers, one request of a random one at a time; kill some of them on the way.

    Args:
        url: of the store.
        works: what each writer does.
        seed: of the order.
        victims: how many are killed.
    """
    chance = random.Random(seed)
    writers = [Writer(work) for work in works]
    threads = [threading.Thread(target=writer.run, args=(url,)) for writer in writers]
    for thread in threads:
        thread.start()
    doomed = {
        number: chance.randrange(1, 40) for number in chance.sample(range(len(works)), victims)
    }
    # In some orders they take turns all the time, in others one makes many requests in a row.
    patience = chance.choice((0, 0.5, 0.9))
    number = 0
    while living := [number for number, writer in enumerate(writers) if not writer.ended]:
        if number not in living or chance.random() >= patience:
            number = chance.choice(living)
        writer = writers[number]
        if number in doomed:
            doomed[number] -= 1
            writer.killed = doomed[number] <= 0
        writer.step()
    for thread in threads:
        thread.join(PATIENCE)
    return writers
