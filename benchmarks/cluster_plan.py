"""Plan a large matrix on a cluster, without the cluster: 10,000 pairs on 100 workers by default.

A simulation of ``fotabuild matrix --scheduler``: the client sends each image once to the scheduler,
which hands it to a worker; the others fetch it from workers that have it; workers make patches; the
client takes, applies and writes them one after the other. What one patch costs is measured here
first, unless it is given. The page docs/scale.md is made from its tables.
"""

from __future__ import annotations

import argparse
import heapq
import random
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fotabuild.cache.content_cache import ContentCache
from fotabuild.device.patch_device import PatchDevice
from fotabuild.formats.patch_sidecar import sidecar_of
from fotabuild.matrix.run import Workforce, run_matrix
from fotabuild.steps.delta import DeltaStep

MARKER = b"PELION/BSDIFF001"
HOUR_PRICE = 0.04
"""US dollars for one processor and an hour, about what clouds take."""


@dataclass(frozen=True)
class Fleet:
    """What is simulated.

    Attributes:
        products: products; each has its own images.
        old: releases in the field per product.
        new: new images per product.
        size: bytes of an image.
        share: patch as a share of the image.
        make: seconds for one patch on a worker.
        spread: seconds vary by this factor up and down.
        finish: seconds that the client needs for one result.
        dispatch: seconds that the scheduler needs for one task.
        uplink: bytes a second from the client.
        link: bytes a second between workers.
        workers: single-threaded workers.
        losses: workers lost and replaced an hour, per worker.
        restart: seconds until a worker is back.
    """

    products: int = 100
    old: int = 50
    new: int = 2
    size: int = 1_000_000
    share: float = 0.15
    make: float = 1.0
    spread: float = 2.0
    finish: float = 0.03
    dispatch: float = 0.001
    uplink: float = 12.5e6
    link: float = 125e6
    workers: int = 100
    losses: float = 0.05
    restart: float = 60.0

    @property
    def pairs(self) -> int:
        """Patches to make."""
        return self.products * self.old * self.new


@dataclass(frozen=True)
class Outcome:
    """What came out: seconds until the last patch is written, and what the parts were busy with."""

    seconds: float
    busy: float
    client: float
    uplink: float
    moved: float
    redone: int

    def limit(self) -> str:
        """Return the part that had least to wait for."""
        shares = {"workers": self.busy, "client": self.client, "uplink": self.uplink}
        return max(shares, key=lambda name: shares[name])


def simulate(fleet: Fleet, seed: int = 8) -> Outcome:
    """Run the matrix in virtual time."""
    chance = random.Random(seed)  # noqa: S311
    images: dict[tuple[int, str, int], float] = {}
    held: list[set[tuple[int, str, int]]] = [set() for _ in range(fleet.workers)]
    free = [(0.0, number) for number in range(fleet.workers)]
    heapq.heapify(free)
    uplink_free = dispatcher_free = client_free = 0.0
    uplink_used = busy = moved = 0.0
    redone = 0
    results: list[float] = []
    jobs = [
        (product, old, new)
        for product in range(fleet.products)
        for old in range(fleet.old)
        for new in range(fleet.new)
    ]
    while jobs:
        product, old, new = jobs.pop()
        start, worker = heapq.heappop(free)
        dispatcher_free = max(dispatcher_free, start) + fleet.dispatch
        ready = dispatcher_free
        for image in ((product, "old", old), (product, "new", new)):
            if image not in images:
                uplink_free = max(uplink_free, 0.0) + fleet.size / fleet.uplink
                uplink_used += fleet.size / fleet.uplink
                images[image] = uplink_free
            if image not in held[worker]:
                held[worker].add(image)
                ready = max(ready, images[image]) + fleet.size / fleet.link
                moved += fleet.size
        seconds = fleet.make * fleet.spread ** chance.uniform(-1, 1)
        if chance.random() < fleet.losses * seconds / 3600:
            lost_at = ready + seconds * chance.random()
            heapq.heappush(free, (lost_at + fleet.restart, worker))
            held[worker].clear()
            jobs.append((product, old, new))
            redone += 1
            continue
        busy += seconds
        results.append(ready + seconds)
        heapq.heappush(free, (ready + seconds, worker))
    for done in sorted(results):
        client_free = max(client_free, done) + fleet.finish
    total = client_free
    return Outcome(
        total,
        busy / (total * fleet.workers),
        len(results) * fleet.finish / total,
        uplink_used / total,
        moved,
        redone,
    )


def measure(size: int) -> tuple[float, float, float]:
    """Return seconds to make one patch here, seconds to finish one, and its share of the image."""
    chance = random.Random(1)  # noqa: S311
    words = [chance.randbytes(chance.choice((2, 4))) for _ in range(500)]
    parts = [b"".join(chance.choices(words, k=60)) for _ in range(size // 180)]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "new.bin").write_bytes(MARKER + b"".join(parts))
        steps = []
        for number in range(3):
            for _ in range(len(parts) // 12):
                parts[chance.randrange(len(parts))] = b"".join(chance.choices(words, k=61))
            old, patch = folder / f"{number}.bin", folder / f"{number}.patch"
            old.write_bytes(MARKER + b"".join(parts))
            steps.append(
                DeltaStep(
                    old_image=old,
                    new_image=folder / "new.bin",
                    block_size=512,
                    threshold=None,
                    device=PatchDevice(memory=1024),
                    output=patch,
                    sidecar=sidecar_of(patch),
                )
            )
        cache = ContentCache(folder / "cache")
        first = run_matrix(steps, cache, Workforce(jobs=1)).seconds / len(steps)
        again = run_matrix(steps, cache, Workforce(jobs=1)).seconds / len(steps)
        share = sum(step.output.stat().st_size for step in steps) / len(steps) / size
    return first - again, again, share


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    fleet = Fleet()
    parser.add_argument("--make", type=float, help="seconds for one patch (default: measured)")
    parser.add_argument("--finish", type=float, help="seconds to finish one (default: measured)")
    parser.add_argument("--size", type=int, default=fleet.size, help="bytes of an image")
    parser.add_argument("--workers", type=int, default=fleet.workers)
    arguments = parser.parse_args()
    fleet = replace(fleet, size=arguments.size, workers=arguments.workers)
    if arguments.make is None or arguments.finish is None:
        make, finish, share = measure(fleet.size)
        fleet = replace(fleet, make=make, finish=finish, share=share)
        _print(
            f"measured here: {make:.2f} s to make a patch, {1000 * finish:.0f} ms to finish one, "
            f"{100 * share:.0f} % of the image\n"
        )
    if arguments.make is not None:
        fleet = replace(fleet, make=arguments.make)
    if arguments.finish is not None:
        fleet = replace(fleet, finish=arguments.finish)
    for make in (fleet.make, 10.0):
        table(replace(fleet, make=make), sorted({1, 2, 10, 30, arguments.workers, 300, 1000}))
    return 0


def _print(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def table(fleet: Fleet, workers: Sequence[int]) -> None:
    """Print what several numbers of workers need."""
    images = fleet.products * (fleet.old + fleet.new)
    _print(
        f"{fleet.pairs} pairs of {fleet.size / 1e6:.1f} MB images, {fleet.make:.2f} s each; "
        f"store {images * fleet.size / 1e9:.1f} GB, patches "
        f"{fleet.pairs * fleet.share * fleet.size / 1e9:.1f} GB, the cache as much"
    )
    _print("| workers | time | speed-up | workers busy | client busy | moved | cost | bound by |")
    _print("| ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- |")
    single = simulate(replace(fleet, workers=1, losses=0)).seconds
    start = time.perf_counter()
    for count in workers:
        found = simulate(replace(fleet, workers=count))
        cost = HOUR_PRICE * (count + 2) * found.seconds / 3600
        _print(
            f"| {count} | {found.seconds / 60:.1f} min | {single / found.seconds:.1f} | "
            f"{100 * found.busy:.0f} % | {100 * found.client:.0f} % | {found.moved / 1e9:.0f} GB | "
            f"${cost:.2f} | {found.limit()} |"
        )
    _print(f"(simulated in {time.perf_counter() - start:.1f} s)\n")


if __name__ == "__main__":
    sys.exit(main())
