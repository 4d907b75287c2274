"""A polite request to end is answered as Ctrl-C is: with a clean-up."""

from __future__ import annotations

import contextlib
import signal
from collections.abc import Iterator


@contextlib.contextmanager
def ended_as_interrupted() -> Iterator[None]:
    """Let a polite request to end clean up as Ctrl-C does: a signing tool must not be left alone.

    In a host's thread the host's own handling stays.
    """
    try:
        before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    except ValueError:
        yield
        return
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
