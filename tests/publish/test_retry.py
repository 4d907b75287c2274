"""How long is waited between tries."""

from __future__ import annotations

import email.utils
import random
import time

import pytest

from fotabuild.publish.pacing import PACING
from fotabuild.publish.retry import Tries, parse_retry_after


class StillClock:
    """Time passes only while somebody waits."""

    def __init__(self) -> None:
        self.time = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return self.time

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.time += seconds


def run(retry_after: str | None, seed: int = 1) -> StillClock:
    clock = StillClock()
    tries = Tries(PACING, clock, random.Random(seed))
    count = 0
    for _ in tries:
        count += 1
        tries.wait(retry_after)
    assert count <= PACING.attempts
    return clock


def test_backoff_grows_with_jitter() -> None:
    ceilings = [0.5, 1, 2, 4, 8]
    runs = [run(None, seed).slept for seed in range(200)]
    for slept in runs:
        assert len(slept) == PACING.attempts - 1
        assert all(0 <= s <= ceiling for s, ceiling in zip(slept, ceilings, strict=True))
    assert max(slept[4] for slept in runs) > 7
    assert min(slept[4] for slept in runs) < 1


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("7", 7.0),
        (" 7 ", 7.0),
        ("0", 0.0),
        ("9" * 60, float("9" * 60)),
        ("-1", None),
        ("1.5", None),
        ("soon", None),
        ("", None),
        ("9" * 100, None),
        ("\u0663", None),
        ("Wed, 99 Foo 2026 00:00:00 GMT", None),
        ("Thu, 01 Jan 1970 00:00:00 GMT", 0.0),
        (None, None),
    ],
)
def test_retry_after(text: str | None, seconds: float | None) -> None:
    assert parse_retry_after(text) == seconds


def test_retry_after_a_date() -> None:
    text = email.utils.formatdate(time.time() + 60, usegmt=True)
    assert parse_retry_after(text) == pytest.approx(60, abs=5)


@pytest.mark.parametrize("text", ["99999999", "Fri, 31 Dec 9998 00:00:00 GMT"])
def test_absurd_waits_are_cut(text: str) -> None:
    clock = run(text)
    assert max(clock.slept) == PACING.longest_wait
    assert clock.time <= PACING.step


def test_a_wish_of_nothing_does_not_make_a_hot_loop() -> None:
    assert sum(run("0").slept) > 0
