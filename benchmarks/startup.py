"""How long the help of ``fotabuild`` takes, against a bare start of the same interpreter.

A CMake build starts the command line once per artifact, so its start is part of every build. The
bound is a multiple of the bare start (``python -c pass``), the same on slow and fast machines: 7.5
for the help on all commands, 4 for that on one; the exit status is 1 when one is missed. All
programs run in turn, so that other load on the machine hits all.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

#: Most bare starts that it may take, by the arguments.
BOUNDS = {"--help": 7.5, "delta --help": 4.0}
MIN_TURNS = 15


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--turns", type=int, default=MIN_TURNS, help="runs of each program")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(arguments)
    if args.turns < MIN_TURNS:
        parser.error(f"--turns must be {MIN_TURNS} or more")
    commands = [[*fotabuild_command(), *words.split()] for words in BOUNDS]
    bare, *helped = measure([[sys.executable, "-c", "pass"], *commands], args.turns)
    bounds = [factor * bare for factor in BOUNDS.values()]
    met = all(spent <= bound for spent, bound in zip(helped, bounds, strict=True))
    figures = {
        "python": sys.version.split()[0],
        "turns": args.turns,
        "bare_ms": round(bare, 1),
        "commands": [
            {"command": f"fotabuild {words}", "ms": round(spent, 1), "bound_ms": round(bound, 1)}
            for words, spent, bound in zip(BOUNDS, helped, bounds, strict=True)
        ],
        "met": met,
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n" if args.json else to_text(figures))
    return 0 if met else 1


def fotabuild_command() -> list[str]:
    """Return how this environment starts fotabuild: its console script where there is one."""
    script = shutil.which("fotabuild", path=str(Path(sys.executable).parent))
    return [script] if script else [sys.executable, "-m", "fotabuild"]


def measure(commands: Sequence[Sequence[str]], turns: int) -> list[float]:
    """Return the median time of each command in milliseconds, after one turn that warms up."""
    times = [[run(command) for command in commands] for _ in range(turns + 1)][1:]
    return [statistics.median(column) for column in zip(*times, strict=True)]


def run(command: Sequence[str]) -> float:
    """Run a command and return its wall time in milliseconds.

    Raises:
        subprocess.CalledProcessError: it failed, so its time says nothing.
    """
    # Installed programs find their modules compiled; so must those that run from a work tree.
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"}
    start = time.perf_counter()
    subprocess.run(  # noqa: S603 - our own command
        command, stdout=subprocess.DEVNULL, check=True, env=environment
    )
    return 1000 * (time.perf_counter() - start)


def to_text(figures: dict[str, Any]) -> str:
    """Return the figures for people."""
    lines = [
        f"python {figures['python']}, median of {figures['turns']} turns",
        f"  {'bare start':<22}{figures['bare_ms']:>6} ms",
    ]
    lines += [
        f"  {it['command']:<22}{it['ms']:>6} ms, bound {it['bound_ms']:>6} ms"
        for it in figures["commands"]
    ]
    return "\n".join([*lines, "  met" if figures["met"] else "  MISSED", ""])


if __name__ == "__main__":
    sys.exit(main())
