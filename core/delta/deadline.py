"""A point in time after which no more work is begun."""

from __future__ import annotations

import time
from collections.abc import Callable


class Deadline:
    """Counts from its creation."""

    def __init__(self, limit: float | None, clock: Callable[[], float] = time.monotonic) -> None:
        """Begin to count; ``limit`` is in seconds, None for no limit."""
        self._clock = clock
        self._end = None if limit is None else clock() + limit

    def passed(self) -> bool:
        """Whether the time is up."""
        return self._end is not None and self._clock() >= self._end
