"""When a request is tried again, and how long to wait before (device-management-api, 2.2)."""

from __future__ import annotations

import email.utils
import random
from collections.abc import Iterator

from fotabuild.publish.pacing import Clock, Pacing

#: Statuses after which the same request may succeed.
TRANSIENT = frozenset({408, 425, 429, 500, 502, 503, 504})


class Tries:
    """The tries of one request.

    Iterate over it to try; call :meth:`wait` after a try that failed. The iteration ends when
    tries or time are used up.

    Args:
        pacing: how many, how long.
        clock: the time.
        chance: where the jitter comes from.
    """

    def __init__(self, pacing: Pacing, clock: Clock, chance: random.Random) -> None:
        self._pacing = pacing
        self._clock = clock
        self._chance = chance
        self._end = clock.now() + pacing.step
        self._done = 0

    def __iter__(self) -> Iterator[int]:
        while self._done < self._pacing.attempts:
            yield self._done
            if self._clock.now() >= self._end:
                return

    def wait(self, retry_after: str | None = None) -> None:
        """Wait before the next try, if there is one."""
        self._done += 1
        if self._done >= self._pacing.attempts:
            return
        ceiling = min(self._pacing.backoff * 2 ** (self._done - 1), self._pacing.longest_backoff)
        seconds = self._chance.uniform(0, ceiling)
        asked = parse_retry_after(retry_after)
        if asked is not None:
            seconds = max(seconds, min(asked, self._pacing.longest_wait))
        left = self._end - self._clock.now()
        self._clock.sleep(max(0.0, min(seconds, left)))


def parse_retry_after(text: str | None) -> float | None:
    """Return the seconds that a ``Retry-After`` header asks for; None for nonsense."""
    if text is None or len(text) > 64:
        return None
    text = text.strip()
    if text.isascii() and text.isdigit():
        return float(int(text))
    try:
        moment = email.utils.parsedate_to_datetime(text)
        return max(0.0, moment.timestamp() - _wall_clock())
    except (ValueError, TypeError, OverflowError, OSError):
        return None


def _wall_clock() -> float:
    import time

    return time.time()
