"""A point in time at which work ends."""

from __future__ import annotations

import time
from collections.abc import Callable


class TimeUpError(Exception):
    """The deadline has passed; it never leaves the encoder."""


class Deadline:
    """Counts from its creation.

    Attributes:
        limited: whether there is a limit at all.
    """

    def __init__(self, limit: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to count; ``limit`` is in seconds, None for no limit."""
        self.limited = limit is not None
        self._clock = clock
        self._end = 0.0 if limit is None else clock() + limit

    def passed(self) -> bool:
        """Whether the time is up."""
        return self.limited and self._clock() >= self._end

    def check(self) -> None:
        """Raise :class:`TimeUpError` if the time is up."""
        if self.passed():
            raise TimeUpError


NO_DEADLINE = Deadline(None)
