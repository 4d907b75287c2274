"""Kill workers, the scheduler and the client of matrices at random.

Run as ``python -m tests.matrix.cluster_kills FOLDER KILLS [SEED]``; the result is JSON on stdout.
"""

from __future__ import annotations

import csv
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

from fotabuild.cache.content_cache import FOLDER_VARIABLE
from fotabuild.delta.decoder import apply_patch

from . import images
from .cluster import Cluster

OLD, NEW, SIZE = 12, 3, 150_000
PAUSE = 2.0
TIMEOUT = 240
VICTIMS = ("worker", "scheduler", "client")


class Matrix:
    """A matrix that is made by a client in a process of its own, again if that is killed."""

    def __init__(self, folder: Path, address: str) -> None:
        self.folder = folder
        self._address = address
        self.runs: list[tuple[int, int]] = []
        self._lines: list[str] = []
        self.start()

    def start(self) -> None:
        """Start the client; what is in the cache now must not be computed again."""
        self._known = self.cached()
        self.client = subprocess.Popen(
            [
                *(sys.executable, "-m", "fotabuild", "--json", "matrix"),
                *("--pairs", self.folder.parent / "pairs.csv", "-o", self.folder / "out"),
                *("--scheduler", self._address, "--patience", "120", "-j", "1"),
            ],
            env={**os.environ, FOLDER_VARIABLE: str(self.folder / "cache")},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=(self.folder / "log").open("ab"),
            text=True,
        )

    def cached(self) -> int:
        """Return how many patches are finished."""
        return sum(not path.name.startswith(".") for path in self.folder.glob("cache/v1/*/*"))

    def kill(self) -> None:
        """Kill the client and start it again."""
        self.client.kill()
        self.client.communicate()
        self.start()

    def wrong(self) -> list[str]:
        """Return what is wrong with the finished matrix."""
        text, _ = self.client.communicate(timeout=TIMEOUT)
        if self.client.returncode != 0:
            return [f"ended with {self.client.returncode}: {(self.folder / 'log').read_text()}"]
        result = json.loads(text)
        wrong = []
        if len(result["deltas"]) != OLD * NEW:
            wrong.append(f"{len(result['deltas'])} deltas")
        if result["computed"] != OLD * NEW - self._known:
            wrong.append(f"{result['computed']} computed, {self._known} were finished before")
        for delta in result["deltas"]:
            old, new, patch = (Path(delta[name]).read_bytes() for name in ("old", "new", "output"))
            if apply_patch(old, patch) != new:
                wrong.append(f"{delta['output']} is wrong")
        return wrong


def main(folder: Path, kills: int, seed: int) -> dict[str, object]:
    """Kill until it was done often enough; let every matrix be finished and checked."""
    found = images.versions(OLD + NEW, SIZE)
    paths = images.write(folder / "images", found)
    with (folder / "pairs.csv").open("w", newline="", encoding="utf-8") as stream:
        writer = csv.writer(stream)
        writer.writerow(("old", "new"))
        writer.writerows((old, new) for old in paths[:OLD] for new in paths[OLD:])
    chance = random.Random(seed)
    killed: Counter[str] = Counter()
    wrong: list[str] = []
    victims: list[str] = []
    matrices = 0
    start = time.monotonic()
    with Cluster(folder) as cluster:
        while killed.total() < kills:
            matrices += 1
            place = folder / f"matrix-{matrices}"
            place.mkdir()
            matrix = Matrix(place, cluster.address)
            end = time.monotonic() + TIMEOUT
            while matrix.client.poll() is None and time.monotonic() < end:
                time.sleep(chance.random() * PAUSE)
                cluster.tend()
                if matrix.client.poll() is None and killed.total() < kills:
                    if not victims:  # Each in turn, in an order that nobody knows.
                        victims = chance.sample(VICTIMS, len(VICTIMS))
                    victim = victims.pop()
                    if victim == "worker":
                        cluster.kill_worker(chance.randrange(len(cluster.workers)))
                    elif victim == "scheduler":
                        cluster.kill_scheduler()
                    else:
                        matrix.kill()
                    killed[victim] += 1
            wrong += [f"matrix {matrices}: {problem}" for problem in matrix.wrong()]
            shutil.rmtree(place)
    seconds = round(time.monotonic() - start, 1)
    return {"killed": dict(killed), "matrices": matrices, "wrong": wrong, "seconds": seconds}


if __name__ == "__main__":
    sys.stdout.write(json.dumps(main(Path(sys.argv[1]), *map(int, [*sys.argv[2:], "8"][:2]))))
