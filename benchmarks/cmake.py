"""What update artifacts cost in a CMake build of the example firmware.

First, all artifacts through CMake and Ninja, with the firmware up to date, against the same steps
in one process by ``fotabuild build``. The bound is 1.5 times; the exit status is 1 when it is
missed. Second, a build that has nothing to do, with and without fotabuild: the aim is 1.10 times.
Make charges for every target; what it charges for one that does nothing is measured, too. All
programs run in turn, so that other load on the machine hits each of them.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from fotabuild.credentials import NewProject, create_project

BOUND = 1.5
AIM = 1.1
MIN_ROUNDS = 15
VERSION = "1.1.0"
ROOT = Path(__file__).parents[1]
FOTABUILD = (sys.executable, "-m", "fotabuild")
GENERATORS = ("Ninja", "Unix Makefiles")

FIND = "find_package(FotaBuild CONFIG REQUIRED)\n"
UPDATE = 'fotabuild_add_update(thermometer VERSION "${APP_VERSION}")\n'
NO_FIND = f'set(FOTABUILD_COMMAND "{sys.executable}" -m fotabuild)\n'
NO_UPDATE = "target_sources(thermometer PRIVATE update_default_resources.c)\n"
EMPTY_TARGET = 'add_custom_target(nothing ALL DEPENDS "${CMAKE_SOURCE_DIR}/fotabuild.yaml")\n'


@dataclass(frozen=True)
class Workplace:
    """A copy of the example with its credentials and an old release, and the tools for it."""

    folder: Path
    cmake: str

    @property
    def example(self) -> Path:
        """The copy."""
        return self.folder / "example"

    @classmethod
    def create(cls, folder: Path, cmake: str) -> Workplace:
        """Copy the example and install the CMake package."""
        place = cls(folder, cmake)
        ignored = shutil.ignore_patterns("build", "keys", "releases", ".*")
        shutil.copytree(ROOT / "examples" / "mbed-os", place.example, ignore=ignored)
        create_project(NewProject(folder=place.example, credentials_only=True))
        source = ROOT / "plugins" / "cmake"
        prefix = f"-DCMAKE_INSTALL_PREFIX={folder}/package"
        run([cmake, "-S", str(source), "-B", f"{folder}/p", prefix])
        run([cmake, "--install", f"{folder}/p"])
        first = place.build("1.0.0", place.example, "Ninja", "1.0.0")
        (place.example / "releases").mkdir()
        shutil.copy(first / "update" / "thermometer-1.0.0.bin", place.example / "releases")
        return place

    def build(self, name: str, source: Path, generator: str, version: str = VERSION) -> Path:
        """Configure and build; return the build folder."""
        folder = self.folder / f"{name} {generator}"
        options = (
            "-DCMAKE_TOOLCHAIN_FILE=board/mps2-an386/toolchain.cmake",
            f"-DFotaBuild_DIR={self.folder}/package",
            f"-DFOTABUILD_PYTHON_EXECUTABLE={sys.executable}",
            f"-DAPP_VERSION={version}",
        )
        run([self.cmake, "-S", str(source), "-B", str(folder), f"-G{generator}", *options])
        run([self.cmake, "--build", str(folder)])
        return folder

    def variant(self, name: str, changes: Mapping[str, str]) -> Path:
        """Copy the example with other lines in its ``CMakeLists.txt``; return the folder."""
        folder = self.folder / name
        shutil.copytree(self.example, folder)
        text = (folder / "CMakeLists.txt").read_text(encoding="utf-8")
        for old, new in changes.items():
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (folder / "CMakeLists.txt").write_text(text, encoding="utf-8")
        run([*FOTABUILD, "resources", "--output", "update_default_resources.c"], folder)
        return folder


def measure_artifacts(place: Workplace, rounds: int) -> dict[str, object]:
    """Compare a build of all artifacts with one process that makes them."""
    folder = place.build("artifacts", place.example, "Ninja")
    update, single = folder / "update", place.folder / "single"

    def by_cmake() -> None:
        run([place.cmake, "--build", str(folder)])

    def by_one_process() -> None:
        options = ("--fw-version", VERSION, "--output-dir", str(single), "--name", "thermometer")
        run([*FOTABUILD, "build", f"{folder}/thermometer.elf", *options], place.example)

    def remove() -> None:
        for artifacts in (update, single):
            shutil.rmtree(artifacts, ignore_errors=True)

    cmake, one = measure([by_cmake, by_one_process], rounds, before=remove)
    made = {path.name: path.read_bytes() for path in update.iterdir()}
    assert made == {path.name: path.read_bytes() for path in single.iterdir()}
    ratio = cmake / one
    return {
        "artifacts": len(made),
        "cmake_ms": round(cmake, 1),
        "one_process_ms": round(one, 1),
        "ratio": round(ratio, 2),
        "bound": BOUND,
        "met": ratio <= BOUND,
    }


def measure_nothing(place: Workplace, rounds: int) -> dict[str, dict[str, object]]:
    """Compare builds with nothing to do."""
    without = {FIND: NO_FIND, UPDATE: NO_UPDATE}
    sources = {
        "without": place.variant("without", without),
        "empty_target": place.variant("empty", {**without, UPDATE: NO_UPDATE + EMPTY_TARGET}),
        "with": place.example,
    }
    results: dict[str, dict[str, object]] = {}
    for generator in GENERATORS:
        folders = [place.build(name, source, generator) for name, source in sources.items()]
        builds = [_building(place.cmake, folder) for folder in folders]
        times = dict(zip(sources, measure(builds, rounds), strict=True))
        results[generator] = {
            **{f"{name}_ms": round(value, 1) for name, value in times.items()},
            "ratio": round(times["with"] / times["without"], 2),
            "ratio_of_empty_target": round(times["empty_target"] / times["without"], 2),
            "aim": AIM,
            "met": times["with"] <= AIM * times["without"],
        }
    return results


def _building(cmake: str, folder: Path) -> Callable[[], None]:
    return lambda: run([cmake, "--build", str(folder)])


def measure(
    programs: Sequence[Callable[[], None]],
    rounds: int,
    before: Callable[[], None] = lambda: None,
) -> list[float]:
    """Return the median time of each in milliseconds, after one round that warms up."""
    times: list[list[float]] = []
    for _ in range(rounds + 1):
        before()
        times.append([])
        for program in programs:
            start = time.perf_counter()
            program()
            times[-1].append(1000 * (time.perf_counter() - start))
    return [statistics.median(column) for column in zip(*times[1:], strict=True)]


def run(command: Sequence[str], folder: Path | None = None) -> None:
    """Run a command, which must succeed."""
    done = subprocess.run(  # noqa: S603 - our own command
        command, cwd=folder, capture_output=True, check=False
    )
    if done.returncode != 0:
        sys.stderr.write((done.stdout + done.stderr).decode(errors="replace"))
        raise SystemExit(f"failed: {command[0]}")


def to_text(figures: Mapping[str, object], nothing: Mapping[str, Mapping[str, object]]) -> str:
    """Return the figures for people."""
    lines = [
        f"{figures['artifacts']} artifacts: CMake {figures['cmake_ms']} ms, one process "
        f"{figures['one_process_ms']} ms, ratio {figures['ratio']}, bound {BOUND}: "
        f"{'met' if figures['met'] else 'MISSED'}"
    ]
    lines += [
        f"nothing to do, {generator}: {row['with_ms']} ms, without fotabuild {row['without_ms']} "
        f"ms, ratio {row['ratio']}, aim {AIM}; of a target that does nothing: "
        f"{row['ratio_of_empty_target']}"
        for generator, row in nothing.items()
    ]
    return "\n".join(lines) + "\n"


def default_cmake() -> str:
    """Return the program that pip installed, not the script that starts it, or that on PATH."""
    program = Path(sysconfig.get_path("purelib")) / "cmake" / "data" / "bin" / "cmake"
    return str(program) if program.is_file() else "cmake"


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, print, judge."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=MIN_ROUNDS, help="runs of each program")
    parser.add_argument(
        "--cmake",
        default=os.environ.get("FOTABUILD_CMAKE") or default_cmake(),
        help="the CMake to measure (default: $FOTABUILD_CMAKE, or the one of this environment)",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(arguments)
    # For Ninja, if pip installed it here.
    os.environ["PATH"] = os.pathsep.join((str(Path(sys.executable).parent), os.environ["PATH"]))
    with tempfile.TemporaryDirectory() as folder:
        place = Workplace.create(Path(folder), args.cmake)
        figures = measure_artifacts(place, args.rounds)
        nothing = measure_nothing(place, args.rounds)
    sys.stdout.write(
        json.dumps({"all_artifacts": figures, "nothing_to_do": nothing}, indent=2) + "\n"
        if args.json
        else to_text(figures, nothing)
    )
    return 0 if figures["met"] else 1


if __name__ == "__main__":
    sys.exit(main())
