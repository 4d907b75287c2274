"""How long ``fotabuild --help`` takes, against a bare start of the same interpreter.

A CMake build starts the command line once per artifact, so its start is part of every build. The
bound is twice the bare start (``python -c pass``) plus 60 ms; the exit status is 1 when it is
missed. Both programs run in turn, so that other load on the machine hits both.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

FACTOR = 2
ALLOWANCE_MS = 60
MIN_PAIRS = 15


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=MIN_PAIRS, help="runs of each program")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(arguments)
    if args.pairs < MIN_PAIRS:
        parser.error(f"--pairs must be {MIN_PAIRS} or more")
    bare_command = [sys.executable, "-c", "pass"]
    help_command = [*fotabuild_command(), "--help"]
    bare, helped = measure(bare_command, help_command, args.pairs)
    bound = FACTOR * bare + ALLOWANCE_MS
    met = helped <= bound
    figures = {
        "python": sys.version.split()[0],
        "command": " ".join(help_command),
        "pairs": args.pairs,
        "bare_ms": round(bare, 1),
        "help_ms": round(helped, 1),
        "difference_ms": round(helped - bare, 1),
        "bound_ms": round(bound, 1),
        "met": met,
    }
    sys.stdout.write(json.dumps(figures, indent=2) + "\n" if args.json else to_text(figures))
    return 0 if met else 1


def fotabuild_command() -> list[str]:
    """Return how this environment starts fotabuild: its console script where there is one."""
    script = shutil.which("fotabuild", path=str(Path(sys.executable).parent))
    return [script] if script else [sys.executable, "-m", "fotabuild"]


def measure(one: Sequence[str], other: Sequence[str], pairs: int) -> tuple[float, float]:
    """Return the median time of each command in milliseconds, after one run that warms up."""
    times = [(run(one), run(other)) for _ in range(pairs + 1)][1:]
    return statistics.median(a for a, _ in times), statistics.median(b for _, b in times)


def run(command: Sequence[str]) -> float:
    """Run a command and return its wall time in milliseconds.

    Raises:
        subprocess.CalledProcessError: it failed, so its time says nothing.
    """
    start = time.perf_counter()
    subprocess.run(command, stdout=subprocess.DEVNULL, check=True)  # noqa: S603 - our own command
    return 1000 * (time.perf_counter() - start)


def to_text(figures: dict[str, object]) -> str:
    """Return the figures for people."""
    verdict = "met" if figures["met"] else "MISSED"
    return (
        f"python {figures['python']}, median of {figures['pairs']} pairs\n"
        f"  bare start        {figures['bare_ms']:>6} ms\n"
        f"  fotabuild --help  {figures['help_ms']:>6} ms, {figures['difference_ms']} ms more\n"
        f"  bound             {figures['bound_ms']:>6} ms: {verdict}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
