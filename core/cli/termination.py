"""A polite request to end is answered as Ctrl-C is: with a clean-up."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator
from types import FrameType


class Terminated(KeyboardInterrupt):
    """Somebody asked the program to end. Uploads have an exception of their own for it."""

    number = signal.SIGTERM


@contextlib.contextmanager
def ended_as_interrupted() -> Iterator[None]:
    """Let a polite request to end clean up as Ctrl-C does: a signing tool must not be left alone.

    In a host's thread the host's own handling stays.
    """
    try:
        before = signal.signal(signal.SIGTERM, _raise)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _raise(_number: int, _frame: FrameType | None) -> None:
    raise Terminated
