"""What many deltas cost, against one run of manifest-delta-tool for each of them.

All figures are ratios of programs that run in turn, with the same number of processes, at the
default effort and at ``fast``, which tries about as hard as manifest-delta-tool:

- 50 old images to one new one, and ten products with ten old images each,
- one process against two, with a cache that is empty,
- a Dask cluster of two workers on this machine against two processes,
- a second run, and a run after one more release: how many deltas are computed.

``--kills N`` instead kills workers, the scheduler and the client of matrices N times.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from tests.conftest import peer_folder  # noqa: E402
from tests.matrix.cluster import Cluster  # noqa: E402

MARKER = b"PELION/BSDIFF001"
SIZE = 250_000
PROCESSES = 2
EFFORTS = ("fast", "balanced")
Pair = tuple[Path, Path]


@dataclass(frozen=True)
class Cost:
    """What a run took.

    Attributes:
        wall: seconds by the clock.
        processor: seconds of all processors together.
        memory: bytes of all processes together at the worst moment.
    """

    wall: float
    processor: float
    memory: float


def main() -> int:
    """Run everything and print the figures."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3, help="how often each program runs")
    parser.add_argument("--kills", type=int, default=0, help="kill so often, and measure nothing")
    parser.add_argument("--seed", type=int, default=8, help="of the kills")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        if arguments.kills:
            command = [sys.executable, "-m", "tests.matrix.cluster_kills", name]
            command += [str(arguments.kills), str(arguments.seed)]
            done = subprocess.run(command, cwd=ROOT, check=False)  # noqa: S603 - our own command
            return done.returncode
        many = _write(folder / "fifty", 1, 50)
        products = _write(folder / "products", 10, 10)
        _against_peer(folder, "50 old images x 1 new", many, arguments.rounds)
        _against_peer(folder, "10 products x 10 old images", products, arguments.rounds)
        for effort in EFFORTS:
            _speed_up(folder, many, arguments.rounds, effort)
            _cluster(folder, many, arguments.rounds, effort)
        _incremental(folder, many)
    return 0


def _write(folder: Path, products: int, old: int) -> list[Pair]:
    """Write firmware-like images: code with addresses that move when something is inserted."""
    folder.mkdir()
    pairs = []
    for product in range(products):
        chance = random.Random(product)  # noqa: S311
        words = [chance.randbytes(chance.choice((2, 2, 4))) for _ in range(600)]
        functions = [b"".join(chance.choices(words, k=60)) for _ in range(SIZE // 170)]
        paths = []
        for version in range(old + 1):
            for _ in range(12):
                functions[chance.randrange(len(functions))] = b"".join(chance.choices(words, k=60))
            functions.insert(chance.randrange(len(functions)), chance.randbytes(90))
            path = folder / f"p{product}-{version}.bin"
            path.write_bytes(MARKER + _link(functions, chance))
            paths.append(path)
        pairs += [(path, paths[-1]) for path in paths[:-1]]
    return pairs


def _link(functions: Sequence[bytes], chance: random.Random) -> bytes:
    """Put functions one after the other, each with the addresses of two others in it."""
    places = [0]
    for function in functions:
        places.append(places[-1] + len(function) + 8)
    calls = random.Random(7)  # noqa: S311
    parts = []
    for function in functions:
        parts.append(function)
        parts += [calls.choice(places).to_bytes(4, "little") for _ in range(2)]
    return b"".join(parts) + chance.randbytes(16)


def _against_peer(folder: Path, title: str, pairs: Sequence[Pair], rounds: int) -> None:
    tool = peer_folder() / "manifest-delta-tool"
    if not tool.is_file():
        _print(f"{title}: manifest-delta-tool is not installed (make peer)")
        return
    _print(f"{title}, {PROCESSES} processes, images of {SIZE // 1000} kB, {rounds} rounds:")
    place = folder / f"against-{len(pairs)}"
    theirs: list[Cost] = []
    first: dict[str, list[Cost]] = {effort: [] for effort in EFFORTS}
    second: dict[str, list[Cost]] = {effort: [] for effort in EFFORTS}
    for number in range(rounds):
        theirs.append(_measure(_peer, tool, pairs, place / "peer"))
        for effort in EFFORTS:
            cache = place / f"cache-{effort}-{number}"
            for costs in (first[effort], second[effort]):
                costs.append(_measure(_ours, pairs, place / effort, cache, "--effort", effort))
    _print(
        f"  manifest-delta-tool: {_median(theirs, 'wall'):.1f} s, "
        f"{_median(theirs, 'memory') / 1e6:.0f} MB"
    )
    size = _patches(place / "peer")
    for effort in EFFORTS:
        _print(
            f"  {effort}: {_ratios(first[effort], theirs)}, "
            f"{_patches(place / effort) / size:.3f} of the size; "
            f"second run {_ratios(second[effort], theirs)}"
        )


def _ratios(ours: Sequence[Cost], theirs: Sequence[Cost]) -> str:
    return (
        f"{_ratio(ours, theirs, 'wall'):.2f} of the time, "
        f"{_ratio(ours, theirs, 'processor'):.2f} of the processor time, "
        f"{_ratio(ours, theirs, 'memory'):.2f} of the memory"
    )


def _patches(place: Path) -> int:
    return sum(path.stat().st_size for path in place.glob("*.patch"))


def _speed_up(folder: Path, pairs: Sequence[Pair], rounds: int, effort: str) -> None:
    found: dict[int, list[Cost]] = {1: [], 2: []}
    for number in range(rounds):
        for jobs, costs in found.items():
            place = folder / f"jobs-{effort}-{jobs}-{number}"
            more = ("--effort", effort, "-j", str(jobs))
            costs.append(_measure(_ours, pairs, place / "o", place / "c", *more))
    _print(
        f"{effort}: one process {_median(found[1], 'wall'):.1f} s, two "
        f"{_median(found[2], 'wall'):.1f} s: speed-up {_ratio(found[1], found[2], 'wall'):.2f}, "
        f"with {_ratio(found[2], found[1], 'processor'):.2f} times the processor time"
    )


def _cluster(folder: Path, pairs: Sequence[Pair], rounds: int, effort: str) -> None:
    here: list[Cost] = []
    there: list[Cost] = []
    place = folder / f"cluster-{effort}"
    place.mkdir()
    with Cluster(place, workers=PROCESSES) as cluster:
        far = ("--scheduler", cluster.address)
        _ours(pairs[:2], place / "warm", place / "warm-cache", *far)
        for number in range(rounds):
            one, two = (place / f"{number}-{where}" for where in ("here", "there"))
            here.append(_measure(_ours, pairs, one / "o", one / "c", "--effort", effort))
            there.append(_measure(_ours, pairs, two / "o", two / "c", "--effort", effort, *far))
    _print(
        f"{effort}: {PROCESSES} local processes {_median(here, 'wall'):.1f} s, Dask with "
        f"{PROCESSES} workers {_median(there, 'wall'):.1f} s: "
        f"{_ratio(there, here, 'wall'):.2f} times"
    )


def _incremental(folder: Path, pairs: Sequence[Pair]) -> None:
    place = folder / "incremental"
    computed = [
        _ours(some, place / "out", place / "cache")["computed"]
        for some in (pairs[:-1], pairs[:-1], pairs)
    ]
    _print(
        f"computed: first run {computed[0]}, second {computed[1]}, one release more {computed[2]}"
    )


def _ours(pairs: Sequence[Pair], out: Path, cache: Path, *more: str) -> dict[str, int]:
    """Make all patches with one call of ``fotabuild matrix``."""
    out.mkdir(parents=True, exist_ok=True)
    table = out / "pairs.csv"
    with table.open("w", newline="", encoding="utf-8") as stream:
        csv.writer(stream).writerows([("old", "new"), *pairs])
    done = subprocess.run(  # noqa: S603 - our own command
        [
            *(sys.executable, "-m", "fotabuild", "--json", "-q", "matrix"),
            *("--pairs", str(table), "-o", str(out), "-j", str(PROCESSES), *more),
        ],
        env={**os.environ, "FOTABUILD_CACHE_DIR": str(cache)},
        stdout=subprocess.PIPE,
        check=True,
    )
    result: dict[str, int] = json.loads(done.stdout)
    return result


def _peer(tool: Path, pairs: Sequence[Pair], out: Path) -> None:
    """Make all patches with a call of the tool for each, some at once."""
    out.mkdir(parents=True, exist_ok=True)

    def call(pair: Pair) -> None:
        old, new = pair
        patch = out / f"{old.stem}-to-{new.stem}.patch"
        subprocess.run(  # noqa: S603 - our own command
            [tool, "-c", old, "-n", new, "-o", patch, "--skip-size-check"],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            check=True,
        )

    with ThreadPoolExecutor(PROCESSES) as pool:
        list(pool.map(call, pairs))


def _measure(work: Callable[..., object], *arguments: object) -> Cost:
    with _watching() as peak:
        start, before = time.perf_counter(), _processor()
        work(*arguments)
        wall, processor = time.perf_counter() - start, _processor() - before
    return Cost(wall, processor, peak[0])


def _processor() -> float:
    """Return the seconds of processors that finished processes below this one took."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


@contextmanager
def _watching() -> Iterator[list[int]]:
    """Watch the memory of all processes below this one; pages that they share count once."""
    peak = [0]
    done = threading.Event()

    def watch() -> None:
        while not done.wait(0.05):
            peak[0] = max(peak[0], sum(_memory(child) for child in _children(os.getpid())))

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield peak
    finally:
        done.set()
        watcher.join()


def _children(process: int) -> Iterator[int]:
    try:
        text = "".join(
            path.read_text() for path in Path(f"/proc/{process}/task").glob("*/children")
        )
    except OSError:
        return
    for child in map(int, text.split()):
        yield child
        yield from _children(child)


def _memory(process: int) -> int:
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text().splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    return 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def _median(costs: Sequence[Cost], what: str) -> float:
    return float(statistics.median(getattr(cost, what) for cost in costs))


def _ratio(ones: Sequence[Cost], others: Sequence[Cost], what: str) -> float:
    """Return the median of the ratios of runs that followed one another."""
    pairs = zip(ones, others, strict=True)
    return float(statistics.median(getattr(a, what) / getattr(b, what) for a, b in pairs))


if __name__ == "__main__":
    sys.exit(main())
