"""Passes a polite end of the build tool on to the upload that it waits for.

SCons has handlers of its own while it builds, and with several jobs it waits outside of the main
thread, where none can be set. But the interpreter writes the number of every signal that has a
handler into a pipe, if it is given one beforehand.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys

_SECONDS = 0.2
_SIGNALS = {getattr(signal, name) for name in ("SIGTERM", "SIGHUP") if hasattr(signal, name)}


class Pipe:
    """Where the numbers of signals arrive; nowhere on Windows, and where others listen to them."""

    def __init__(self) -> None:
        self._end = -1

    def open(self) -> None:
        """Begin to listen, if we are in the main thread; twice is no harm."""
        if self._end >= 0 or sys.platform == "win32":
            return
        end, write = os.pipe()
        for one in (end, write):
            os.set_blocking(one, False)
        try:
            before = signal.set_wakeup_fd(write, warn_on_full_buffer=False)
        except ValueError:
            before = write
        if before == -1:
            self._end = end
            return
        if before != write:
            signal.set_wakeup_fd(before)
        os.close(end)
        os.close(write)

    def read(self) -> set[int]:
        """Return the signals that came meanwhile."""
        if self._end < 0:
            return set()
        try:
            return set(os.read(self._end, 4096))
        except BlockingIOError:
            return set()


_PIPE = Pipe()


def listen() -> None:
    """Begin to listen; called while the build is described, in the main thread."""
    _PIPE.open()


def forget() -> None:
    """Forget the signals that came before a child was started."""
    _PIPE.read()


def wait_for(child: subprocess.Popen[bytes]) -> int:
    """Return the exit status of a child, which hears the same Ctrl-C and ends by itself.

    It is told of SIGTERM, and of a terminal that is closed.
    """
    told = False
    while True:
        try:
            if not told and _PIPE.read() & _SIGNALS:
                child.terminate()
                told = True
            return child.wait(_SECONDS)
        except (KeyboardInterrupt, subprocess.TimeoutExpired):
            continue
