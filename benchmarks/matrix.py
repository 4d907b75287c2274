"""What many deltas cost, against one run of manifest-delta-tool for each of them.

All figures are ratios of programs that run in turn, with the same number of processes:

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
Pair = tuple[Path, Path]


@dataclass(frozen=True)
class Cost:
    """Time in seconds, and memory of all processes together at the worst moment, in bytes."""

    seconds: float
    memory: int


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
        _speed_up(folder, many, arguments.rounds)
        _cluster(folder, many, arguments.rounds)
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
    ours: list[Cost] = []
    theirs: list[Cost] = []
    for number in range(rounds):
        out = folder / f"out-{number}-{len(pairs)}-{len(ours)}"
        theirs.append(_measure(_peer, tool, pairs, out / "peer"))
        ours.append(_measure(_ours, pairs, out / "ours", out / "cache"))
    again = _measure(_ours, pairs, folder / "again", folder / f"out-0-{len(pairs)}-0/cache")
    _print(f"{title}, {PROCESSES} processes, images of {SIZE // 1000} kB, {rounds} rounds:")
    for what, one, other in (
        ("wall time", _median(theirs, "seconds"), _median(ours, "seconds")),
        ("peak memory", _median(theirs, "memory"), _median(ours, "memory")),
    ):
        unit, scale = ("s", 1) if what == "wall time" else ("MB", 1e-6)
        _print(
            f"  {what}: manifest-delta-tool {one * scale:.1f} {unit}, fotabuild "
            f"{other * scale:.1f} {unit}: {other / one:.2f} of it"
        )
    share = again.seconds / _median(theirs, "seconds")
    _print(f"  second run: {again.seconds:.1f} s: {share:.2f} of it")
    sizes = [
        sum(path.stat().st_size for path in place.glob("*.patch"))
        for place in (folder / f"out-0-{len(pairs)}-0" / who for who in ("peer", "ours"))
    ]
    _print(f"  patches together: {sizes[1] / sizes[0]:.3f} of manifest-delta-tool's size")


def _speed_up(folder: Path, pairs: Sequence[Pair], rounds: int) -> None:
    found: dict[int, list[Cost]] = {1: [], 2: []}
    for number in range(rounds):
        for jobs, costs in found.items():
            place = folder / f"jobs-{jobs}-{number}"
            costs.append(_measure(_ours, pairs, place / "o", place / "c", "-j", str(jobs)))
    one, two = (_median(found[jobs], "seconds") for jobs in (1, 2))
    _print(f"one process {one:.1f} s, two {two:.1f} s: speed-up {one / two:.2f}")


def _cluster(folder: Path, pairs: Sequence[Pair], rounds: int) -> None:
    here: list[Cost] = []
    there: list[Cost] = []
    (folder / "cluster").mkdir()
    with Cluster(folder / "cluster", workers=PROCESSES) as cluster:
        far = ("--scheduler", cluster.address)
        _ours(pairs[:2], folder / "warm", folder / "warm-cache", *far)
        for number in range(rounds):
            place = folder / f"far-{number}"
            here.append(_measure(_ours, pairs, place / "ho", place / "hc"))
            there.append(_measure(_ours, pairs, place / "to", place / "tc", *far))
    one, two = _median(here, "seconds"), _median(there, "seconds")
    _print(
        f"{PROCESSES} local processes {one:.1f} s, Dask with {PROCESSES} workers {two:.1f} s: "
        f"{two / one:.2f} times"
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
        start = time.perf_counter()
        work(*arguments)
        seconds = time.perf_counter() - start
    return Cost(seconds, peak[0])


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


if __name__ == "__main__":
    sys.exit(main())
