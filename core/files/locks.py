"""Locks of open files and folders. They end with the process, however that ends."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from fotabuild.errors import FileError, FotabuildError

try:
    import fcntl
except ImportError:  # Windows has no advisory locks.
    fcntl = None  # type: ignore[assignment]

#: Whether this system has such locks; without them every lock is free.
HAS_LOCKS = fcntl is not None
#: After how many seconds of waiting people are told.
NOTICE_SECONDS = 2.0
# Between two attempts. They begin short: most locks are held for as long as a rename takes.
_SHORTEST_PAUSE, _LONGEST_PAUSE = 0.001, 0.1


def try_lock(descriptor: int) -> bool:
    """Take the lock of an open file or folder; return False if somebody else has it.

    Raises:
        OSError: there are no locks at this place, as on some network drives.
    """
    if fcntl is not None:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def wait_for_lock(
    descriptor: int, place: Path, seconds: float, failure: type[FotabuildError] = FileError
) -> None:
    """Take the lock of an open file or folder, and say so on stderr when that takes long.

    Args:
        descriptor: the open file or folder.
        place: what people know it as.
        seconds: how long to wait.
        failure: the error to raise after that.

    Raises:
        FotabuildError: ``failure``: somebody else has the lock all the time.
        OSError: as :func:`try_lock`.
    """
    start = time.monotonic()
    pause, told = _SHORTEST_PAUSE, False
    while not try_lock(descriptor):
        waited = time.monotonic() - start
        if waited >= seconds:
            raise failure(
                f"another process has had this locked for {seconds:g} seconds",
                file=place,
                remedy="let it end, or end it, and try again; a command that flock(1) starts must "
                "not need what flock(1) locks",
            )
        if waited >= NOTICE_SECONDS and not told:
            told = True
            if sys.stderr is not None:
                sys.stderr.write(f"fotabuild: waiting for another process in {place}\n")
        time.sleep(min(pause, seconds - waited))
        pause = min(2 * pause, _LONGEST_PAUSE)
