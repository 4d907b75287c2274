"""Every duration and bound of the conversation with a service, in one place."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import Protocol


class Clock(Protocol):
    """Time as the publisher sees it; tests hand in another one."""

    def now(self) -> float:
        """Return seconds since some moment; never goes back."""
        ...

    def sleep(self, seconds: float) -> None:
        """Wait."""
        ...


class SystemClock:
    """The clock of the machine."""

    def now(self) -> float:
        """Return the monotonic clock."""
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        """Wait; signals interrupt it."""
        time.sleep(seconds)


@dataclass(frozen=True)
class Pacing:
    """Durations in seconds, sizes in bytes (device-management-api, sections 1.4 and 2).

    Attributes:
        connect: until a connection stands.
        read: silence of the service within an answer.
        upload_read: silence before the answer to an upload.
        exchange: the whole of a request with its answer, however busy the line, plus the time
            that its body takes at the slowest rate.
        slowest: slowest upload that is waited for, in bytes per second.
        answer: largest answer.
        pages: most pages of a list.
        attempts: most tries of one request.
        step: longest time for the tries of one request.
        backoff: wait before the second try; doubled with each, the real one is chosen below it.
        longest_backoff: bound on that.
        longest_wait: bound on what ``Retry-After`` asks for.
        polls: waits before the first looks at a campaign.
        longest_poll: wait that later looks grow to.
        poll_after_change: wait when the phase has just changed.
        silence: longest time without one answer while a campaign runs.
        looks: how often an object must be missing before it counts as deleted: gateways answer
            404 as well.
        draft_grace: how long a started campaign may still be in draft.
        stop: how long a campaign may take to stop.
        conflict: how long a deletion is tried again while the service refuses it.
        job: how long an upload job, or an encryption, may take after the last byte.
        late_numbers: how long statistics may lag behind the end of a campaign.
        one_request: images of this size and more go through an upload job.
        chunk: size of a chunk of an upload job.
        jobs: how often a damaged upload job is begun again.
    """

    connect: float = 10
    read: float = 60
    upload_read: float = 300
    exchange: float = 120
    slowest: int = 16 * 1024
    answer: int = 4 * 1024 * 1024
    pages: int = 1000
    attempts: int = 6
    step: float = 180
    backoff: float = 0.5
    longest_backoff: float = 30
    longest_wait: float = 120
    polls: tuple[float, ...] = (1, 2, 3, 5)
    longest_poll: float = 30
    poll_after_change: float = 3
    silence: float = 900
    looks: int = 3
    draft_grace: float = 30
    stop: float = 120
    conflict: float = 120
    job: float = 600
    late_numbers: float = 10
    one_request: int = 100 * 1024 * 1024
    chunk: int = 6 * 1024 * 1024
    jobs: int = 3


PACING = Pacing()
