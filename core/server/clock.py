"""Time, handed in: people use the real one, tests move their own."""

from __future__ import annotations

import datetime
import re
import time
from typing import Protocol

SECOND = 1_000_000
_EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_PATTERN = re.compile(r"(\d{4})-?(\d\d)-?(\d\d)T(\d\d):?(\d\d):?(\d\d)(?:\.(\d{1,9}))?Z", re.ASCII)


class Clock(Protocol):
    """Where the server takes the time from."""

    def now(self) -> int:
        """Return microseconds since 1970, UTC."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> int:
        """Return microseconds since 1970, UTC."""
        return time.time_ns() // 1000


def to_text(microseconds: int | None) -> str | None:
    """Return a time as RFC 3339 in UTC, with microseconds and ``Z``."""
    if microseconds is None:
        return None
    moment = _EPOCH + datetime.timedelta(microseconds=microseconds)
    return moment.replace(tzinfo=None).isoformat(timespec="microseconds") + "Z"


def parse_time(text: str) -> int | None:
    """Read ``2016-11-30T16:25:12.1234Z``, also without fraction or compact; None for other text."""
    match = _PATTERN.fullmatch(text)
    if match is None:
        return None
    *parts, fraction = match.groups()
    year, month, day, hour, minute, second = map(int, parts)
    try:
        moment = datetime.datetime(
            year, month, day, hour, minute, second, tzinfo=datetime.timezone.utc
        )
    except ValueError:
        return None
    return (moment - _EPOCH) // datetime.timedelta(microseconds=1) + int(
        (fraction or "0").ljust(6, "0")[:6]
    )
