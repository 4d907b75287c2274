"""What a command costs: its wall time and its peak memory, as the system counts them.

A process inherits the peak of the process that starts it, so every command is started from a small
interpreter of its own: this file, run without ``site``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

_TIMEOUT = 900


@dataclass(frozen=True)
class Cost:
    """A finished process.

    Attributes:
        wall: seconds from its start to its end, the interpreter's start-up included.
        peak: largest resident memory in KiB, of the process or of the largest of its children.
    """

    wall: float
    peak: int


def measure(command: Sequence[str | Path], cwd: Path | None = None) -> Cost:
    """Run a command that must succeed.

    Raises:
        RuntimeError: it failed, so its cost says nothing.
    """
    done = subprocess.run(  # noqa: S603 - commands of the benchmarks
        [sys.executable, "-I", "-S", __file__, *map(str, command)],
        cwd=cwd,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_TIMEOUT,
    )
    if done.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{done.stderr}")
    wall, peak = json.loads(done.stdout)
    return Cost(wall, peak)


def _start_and_wait(command: list[str]) -> int:
    # Installed programs find their modules compiled; so must those that run from a work tree.
    # What only the benchmarks read is not for the programs.
    left_out = ("PYTHONDONTWRITEBYTECODE", "FOTABUILD_PEER", "FOTABUILD_CORPUS")
    environment = {k: v for k, v in os.environ.items() if k not in left_out}
    # What the command prints goes to stderr: stdout carries the figures.
    start = time.perf_counter()
    process = os.posix_spawnp(
        command[0], command, environment, file_actions=[(os.POSIX_SPAWN_DUP2, 2, 1)]
    )
    _, status, usage = os.wait4(process, 0)
    wall = time.perf_counter() - start
    peak = usage.ru_maxrss // (1024 if sys.platform == "darwin" else 1)
    sys.stdout.write(json.dumps([wall, peak]))
    return os.waitstatus_to_exitcode(status)


if __name__ == "__main__":
    sys.exit(_start_and_wait(sys.argv[1:]))
