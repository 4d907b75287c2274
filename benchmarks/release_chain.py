"""A whole release against manifest-tool 2.6.2: patch, manifest, its verification, package.

    python benchmarks/release_chain.py --pair primehub-minor

Three ways in turn: four commands of the peer, four of fotabuild, and one ``fotabuild build``, which
makes the manifests of image and package besides. Quote the ratios to the peer's four.
"""

from __future__ import annotations

import argparse
import json
import shutil
import statistics
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from corpus import Pair, default_folder, present_pairs
from delta_runs import peer_program
from process_cost import Cost, measure
from startup import fotabuild_command

Command = list[str | Path]

_IDENTITY = """\
vendor: {domain: acme.example}
device:
  model-name: board
"""
_PEER_MANIFEST = """\
priority: 1
payload:
  url: https://updates.acme.example/app.patch
  file-path: peer.patch
  format: arm-patch-stream
"""
_PEER_PACKAGE = """\
images:
- {file_name: new.bin, sub_comp_name: app, vendor_data: v2}
- {file_name: old.bin, sub_comp_name: radio, vendor_data: v1}
"""
_OURS = """\
  features: [delta, combined]
priority: 1
credentials: {{key: keys/update.key.pem, certificate: keys/update.cert.der}}
payload: {{url: "https://updates.acme.example/{{file}}"}}
delta: {{effort: {effort}}}
releases:
- {{version: 1.0.0, image: old.bin}}
package:
  component: GROUP
  images:
  - {{sub-comp-name: app, vendor-data: v2}}
  - {{sub-comp-name: radio, vendor-data: v1, file-name: old.bin}}
"""


def make_project(folder: Path, pair: Pair, effort: str) -> None:
    """Write what the three ways need into ``folder``."""
    measure(
        [*fotabuild_command(), "init", "--credentials-only", "--vendor-domain", "acme.example"],
        folder,
    )
    for path, name in ((pair.old, "old.bin"), (pair.new, "new.bin")):
        shutil.copyfile(path, folder / name)
    for name, text in {
        "fotabuild.yaml": _IDENTITY + _OURS.format(effort=effort),
        "release.yaml": _IDENTITY + _PEER_MANIFEST,
        "package.yaml": _PEER_PACKAGE,
    }.items():
        (folder / name).write_text(text, encoding="utf-8")


def chains(effort: str) -> dict[str, list[Command]]:
    """Return the commands of each way, run in the project's folder."""
    key, certificate = "keys/update.key.pem", "keys/update.cert.der"
    images = ["-c", "old.bin", "-n", "new.bin", "--skip-size-check"]
    ours = fotabuild_command()
    return {
        "peer": [
            [peer_program("manifest-delta-tool"), *images, "-o", "peer.patch"],
            [
                *(peer_program("manifest-tool"), "create", "-c", "release.yaml", "-k", key),
                *("-v", "2.0.0", "-o", "peer.manifest"),
            ],
            [peer_program("manifest-tool"), "parse", "-c", certificate, "peer.manifest"],
            [
                peer_program("manifest-package-tool"),
                *("create", "-c", "package.yaml", "-o", "peer.tar"),
            ],
        ],
        "four commands": [
            [*ours, "delta", *images, "--effort", effort, "-o", "ours.patch"],
            [
                *(*ours, "manifest", "create", "-v", "2.0.0", "-o", "ours.manifest"),
                *("-p", "ours.patch", "--format", "arm-patch-stream"),
            ],
            [*ours, "manifest", "verify", "ours.manifest"],
            [*ours, "package", "create", "--image", "new.bin", "-o", "ours.tar"],
        ],
        "one process": [[*ours, "build", "new.bin", "-v", "2.0.0", "-o", "update"]],
    }


def measure_chains(folder: Path, effort: str, runs: int) -> dict[str, list[list[Cost]]]:
    """Return what each command of each way cost, by run; the first run of all warms up."""
    costs: dict[str, list[list[Cost]]] = {}
    for turn in range(runs + 1):
        for way, commands in chains(effort).items():
            for path in [*folder.glob("peer.*"), *folder.glob("ours.*")]:
                path.unlink()
            shutil.rmtree(folder / "update", ignore_errors=True)
            spent = [measure(command, folder) for command in commands]
            if turn:
                costs.setdefault(way, []).append(spent)
    return costs


def ratios(costs: dict[str, list[list[Cost]]]) -> dict[str, float]:
    """Return the median ratio of each way's wall time to the peer's in the same turn."""
    peer = [sum(cost.wall for cost in run) for run in costs["peer"]]
    return {
        way: statistics.median(
            sum(cost.wall for cost in run) / other for run, other in zip(found, peer, strict=True)
        )
        for way, found in costs.items()
        if way != "peer"
    }


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=default_folder(), help="%(default)s")
    parser.add_argument("--pair", default="primehub-minor", metavar="NAME", help="%(default)s")
    parser.add_argument("--effort", default="fast", help="%(default)s")
    parser.add_argument("--runs", type=int, default=7, help="%(default)s")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    args = parser.parse_args(arguments)
    pair = next((pair for pair in present_pairs(args.folder) if pair.name == args.pair), None)
    if pair is None:
        raise SystemExit(f"{args.pair} is not in {args.folder}: fetch with benchmarks/corpus.py")
    with tempfile.TemporaryDirectory(prefix="fotabuild-bench-") as name:
        make_project(Path(name), pair, args.effort)
        costs = measure_chains(Path(name), args.effort, args.runs)
    medians = {
        way: [statistics.median(run[i].wall for run in runs) for i in range(len(runs[0]))]
        for way, runs in costs.items()
    }
    found = ratios(costs)
    if args.json:
        values = {"pair": args.pair, "effort": args.effort, "seconds": medians, "ratios": found}
        sys.stdout.write(json.dumps(values, indent=2) + "\n")
        return 0
    for way, seconds in medians.items():
        each = " + ".join(f"{value:.3f}" for value in seconds)
        ratio = f", {found[way]:.2f} of the peer" if way in found else ""
        sys.stdout.write(f"{way:<14} {sum(seconds):.3f} s = {each}{ratio}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
