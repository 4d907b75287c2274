"""Run the peer and fotabuild in turn on one pair of images."""

from __future__ import annotations

import os
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus import Pair
from process_cost import Cost, measure
from startup import fotabuild_command


@dataclass(frozen=True)
class Result:
    """What one effort reached on one pair, beside the peer; sizes in bytes.

    Attributes:
        pair: name of the pair.
        block_size: bound on frames, of both programs.
        effort: effort of fotabuild.
        old_size: size of the old image.
        peer_size: size of the peer's patch.
        size: size of ours.
        peer_wall: median wall time of the peer's command in seconds.
        wall: median wall time of ours.
        wall_ratio: median of the ratios of the runs, ours / peer.
        peer_peak: median peak memory of the peer's command in KiB.
        peak: median peak memory of ours.
    """

    pair: str
    block_size: int
    effort: str
    old_size: int
    peer_size: int
    size: int
    peer_wall: float
    wall: float
    wall_ratio: float
    peer_peak: float
    peak: float

    @property
    def size_ratio(self) -> float:
        """Size of the patch, ours / peer."""
        return self.size / self.peer_size

    @property
    def peak_ratio(self) -> float:
        """Peak memory, ours / peer."""
        return self.peak / self.peer_peak


def peer_program(name: str) -> Path:
    """Return a program of manifest-tool 2.6.2, where ``make peer`` puts it or FOTABUILD_PEER is."""
    folder = os.environ.get("FOTABUILD_PEER", Path(__file__).parents[1] / ".venv-peer" / "bin")
    program = Path(folder, name)
    if not program.is_file():
        raise SystemExit(f"{program} is missing: run 'make peer', or set FOTABUILD_PEER")
    return program


def delta_commands(
    pair: Pair, block_size: int, efforts: Sequence[str], folder: Path, *, linked: bool = False
) -> dict[str, tuple[list[str | Path], Path]]:
    """Return the command and the patch of the peer (named ``peer``) and of each effort."""
    elf: list[str | Path] = []
    if linked and (pair.folder / "old.elf").is_file() and (pair.folder / "new.elf").is_file():
        elf = ["--old-elf", pair.folder / "old.elf", "--new-elf", pair.folder / "new.elf"]
    images: list[str | Path] = ["-c", pair.old, "-n", pair.new, "-b", str(block_size)]
    patches = {name: folder / f"{name}.patch" for name in ("peer", *efforts)}
    programs: dict[str, list[str | Path]] = {"peer": [peer_program("manifest-delta-tool")]}
    for effort in efforts:
        programs[effort] = [*fotabuild_command(), "delta", "--effort", effort, *elf]
    return {
        name: ([*program, *images, "--skip-size-check", "-o", patches[name]], patches[name])
        for name, program in programs.items()
    }


def compare(
    pair: Pair,
    block_size: int,
    efforts: Sequence[str],
    runs: int,
    folder: Path,
    *,
    linked: bool = False,
) -> list[Result]:
    """Measure every effort against the peer.

    Args:
        pair: the images.
        block_size: bound on frames in bytes.
        efforts: efforts of fotabuild.
        runs: how often each program runs, in turn, so that other load on the machine hits all.
        folder: where patches go.
        linked: give fotabuild the ELF files of the pair, if it has them.
    """
    commands = delta_commands(pair, block_size, efforts, folder, linked=linked)
    costs: dict[str, list[Cost]] = {name: [] for name in commands}
    # Neither program finds files of an earlier run; the first run of all warms up, if times count.
    for turn in range(runs if runs == 1 else runs + 1):
        for name, (command, patch) in commands.items():
            patch.unlink(missing_ok=True)
            patch.with_suffix(".yaml").unlink(missing_ok=True)
            cost = measure(command)
            if turn or runs == 1:
                costs[name].append(cost)
    sizes = {name: patch.stat().st_size for name, (_, patch) in commands.items()}
    return [
        Result(
            pair.name,
            block_size,
            effort,
            pair.old.stat().st_size,
            sizes["peer"],
            sizes[effort],
            _median(cost.wall for cost in costs["peer"]),
            _median(cost.wall for cost in costs[effort]),
            _median(
                ours.wall / peer.wall
                for ours, peer in zip(costs[effort], costs["peer"], strict=True)
            ),
            _median(cost.peak for cost in costs["peer"]),
            _median(cost.peak for cost in costs[effort]),
        )
        for effort in efforts
    ]


_median = statistics.median
