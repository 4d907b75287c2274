"""How long ``pio run`` takes with nothing to do, with fotabuild and without it.

Two projects for the example's board, the tiny one of the tests: the one has the plugin with seven
artifacts, the other nothing of ours. Both runs take turns, so that other load on the machine hits
both. It is the worst case: a real project has more for PlatformIO itself to look at. The aim is a
ratio of at most 1.10; the exit status is 1 when it is missed. Needs PlatformIO, and no network.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
# Not this folder, in which a file is called like the package platformio.
sys.path[0] = str(ROOT)

from fotabuild.credentials import NewProject, create_project  # noqa: E402
from tests.platformio.core_folder import make_core_folder, platformio_environment  # noqa: E402
from tests.platformio.project import INI, Project, sources  # noqa: E402

AIM = 1.10
MIN_PAIRS = 10


@dataclass(frozen=True)
class Cost:
    """Milliseconds that a run took: on the clock, and of processors."""

    wall: float
    cpu: float


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--pairs", type=int, default=20, help="runs of each project")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(arguments)
    if args.pairs < MIN_PAIRS:
        parser.error(f"--pairs must be {MIN_PAIRS} or more")
    # Compiled modules are part of every installation.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    with tempfile.TemporaryDirectory() as folder:
        without, with_it = make_projects(Path(folder))
        costs = [(run(without), run(with_it)) for _ in range(args.pairs)]
    figures = judge(costs)
    sys.stdout.write(json.dumps(figures, indent=2) + "\n" if args.json else to_text(figures))
    return 0 if figures["met"] else 1


def make_projects(folder: Path) -> tuple[Project, Project]:
    """Make and build a project without fotabuild, and one with it."""
    core = folder / "core"
    make_core_folder(core)
    os.environ["PYTHONPYCACHEPREFIX"] = str(folder / "compiled")
    without, with_it = Project(folder / "without", core), Project(folder / "with", core)
    for name, text in sources().items():
        with_it.write(name, text)
    create_project(NewProject(folder=with_it.folder, credentials_only=True))
    ours = ("extra_scripts", "custom_fotabuild", "build_flags")
    options = [line for line in INI.splitlines(True) if not line.startswith(ours)]
    without.write("platformio.ini", "".join(options))
    without.write("src/main.c", "int main(void) { return 0; }\n")
    for project in (without, with_it):
        project.run()
        project.assert_up_to_date()
    return without, with_it


def run(project: Project) -> Cost:
    """Run PlatformIO on a project that is up to date."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(
        [sys.executable, "-m", "platformio", "run"],
        cwd=project.folder,
        env=platformio_environment(project.core),
        stdout=subprocess.DEVNULL,
        check=True,
    )
    wall = time.perf_counter() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(1000 * wall, 1000 * cpu)


def judge(costs: Sequence[tuple[Cost, Cost]]) -> dict[str, object]:
    """Return the figures: medians over all pairs, and their ratio."""
    wall = [statistics.median(pair[side].wall for pair in costs) for side in (0, 1)]
    cpu = [statistics.median(pair[side].cpu for pair in costs) for side in (0, 1)]
    ratio = wall[1] / wall[0]
    return {
        "python": sys.version.split()[0],
        "pairs": len(costs),
        "without_ms": round(wall[0]),
        "with_ms": round(wall[1]),
        "ratio": round(ratio, 3),
        "cpu_without_ms": round(cpu[0]),
        "cpu_with_ms": round(cpu[1]),
        "cpu_ratio": round(cpu[1] / cpu[0], 3),
        "aim": AIM,
        "met": ratio <= AIM,
    }


def to_text(figures: dict[str, object]) -> str:
    """Return the figures for people."""
    return (
        f"pio run with nothing to do, python {figures['python']}, "
        f"median of {figures['pairs']} pairs\n"
        f"  without fotabuild  {figures['without_ms']:>5} ms, processors "
        f"{figures['cpu_without_ms']} ms\n"
        f"  with fotabuild     {figures['with_ms']:>5} ms, processors "
        f"{figures['cpu_with_ms']} ms\n"
        f"  ratio              {figures['ratio']:>5}, aim {figures['aim']}: "
        f"{'met' if figures['met'] else 'MISSED'}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
