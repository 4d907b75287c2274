"""Run ``fotabuild`` as people do: in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Finished:
    """A finished process."""

    status: int
    stdout: str
    stderr: str


def run_fotabuild(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, timeout: float = 120
) -> Finished:
    """Run the command line with ``arguments`` in ``cwd``; ``env`` is added to the environment."""
    done = subprocess.run(
        [sys.executable, "-m", "fotabuild", *map(str, arguments)],
        cwd=cwd,
        env={**os.environ, **(env or {})},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=timeout,
        check=False,
    )
    return Finished(done.returncode, done.stdout, done.stderr)
