"""Dask's client without its finalizer.

A client that could not connect is a heap of references that only the garbage collector clears.
Where that happens while another client is made, its finalizer waits for a lock that its own thread
holds, for ever. So whoever makes a client closes it, and one that does not start closes itself.
"""

from __future__ import annotations

import contextlib
from typing import Any

import distributed

CLOSE_SECONDS = 2.0
# Its types are only half written down.
_Client: Any = distributed.Client


class ClusterClient(_Client):  # type: ignore[misc]
    """A connection to a scheduler, and a thread that serves it until ``close``."""

    def start(self, **settings: object) -> None:
        """Connect.

        Raises:
            Exception: whatever Dask makes of it; no thread is left then.
        """
        try:
            super().start(**settings)
        except BaseException:
            with contextlib.suppress(Exception):
                self.close(timeout=CLOSE_SECONDS)
            # What counts as closed already keeps its thread.
            with contextlib.suppress(Exception):
                self._loop_runner.stop()
            raise

    def __del__(self) -> None:
        """Nothing: see the head of this file."""
