"""Running a step again, for build systems that compare dates."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from fotabuild.digest import sha256
from fotabuild.errors import FileError
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.steps.step import Step, StepResult


def run_again(step: Step) -> StepResult:
    """Run a step; outputs whose bytes stay the same keep their dates.

    A build killed in between leaves newer dates, and more work for the next one.
    """
    before = {path: _state(path) for path in step.outputs}
    result = step.run()
    for path, state in before.items():
        if state is not None and _digest(path) == state[0]:
            # Where a date cannot be set, the file is newer, and nothing worse.
            with contextlib.suppress(OSError):
                os.utime(path, ns=state[1])
    return result


def _state(path: Path) -> tuple[bytes, tuple[int, int]] | None:
    """Return digest and dates of a file, if it can be read."""
    digest = _digest(path)
    if digest is None:
        return None
    status = path.stat()
    return digest, (status.st_atime_ns, status.st_mtime_ns)


def _digest(path: Path) -> bytes | None:
    try:
        return sha256(read_file(path, READ_LIMITS.package, "artifact"))
    except FileError:
        return None
