"""Patches of fotabuild against manifest-delta-tool 2.6.2: size, wall time, peak memory.

    python benchmarks/corpus.py                      fetch the firmware first
    python benchmarks/delta.py --effort balanced --effort best --plot sizes.svg
    python benchmarks/delta.py --pair primehub-minor --runs 7
    python benchmarks/delta.py --synthetic           padded and degenerate images
    python benchmarks/delta.py --effort fast --effort balanced --effort best --effort max --markdown
                                                     what stands in docs/delta.md

Both programs run in turn on the same files in one run; times are those of whole commands. Quote
the ratios (ours / peer), not the seconds. Sizes are exact and the same in every run.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import delta_report
from corpus import Pair, default_folder, fruitful_names, present_pairs
from delta_markdown import to_markdown
from delta_runs import Result, compare
from dot_plot import plot
from synthetic_pairs import make_pairs

EFFORTS = ("fast", "balanced", "best", "max")


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    args = _parse(arguments)
    results: list[Result] = []
    with tempfile.TemporaryDirectory(prefix="fotabuild-bench-") as name:
        folder = Path(name)
        pairs = make_pairs(folder) if args.synthetic else _choose(args.folder, args.pair)
        for pair in pairs:
            for block_size in args.block_size or (512, 1024):
                results += compare(
                    pair,
                    block_size,
                    args.effort or ("balanced",),
                    args.runs,
                    folder,
                    linked=args.linked,
                )
                _progress(results[-1])
    fruitful = {*fruitful_names()} & {pair.name for pair in pairs}
    if args.own:
        fruitful |= set(args.own)
    names = sorted(fruitful)
    if args.json:
        sys.stdout.write(json.dumps(delta_report.to_values(results, names), indent=2) + "\n")
    elif args.markdown:
        sys.stdout.write(to_markdown(results, names, args.own or ()))
    else:
        sys.stdout.write(delta_report.to_text(results, names))
    if args.plot:
        title = f"{args.figure}, fotabuild / manifest-delta-tool 2.6.2 (less is better)"
        rows = delta_report.to_rows(results, args.figure)
        args.plot.write_text(plot(title, rows), encoding="utf-8")
    return 0


def _parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--folder", type=Path, default=default_folder(), help="%(default)s")
    parser.add_argument("--pair", action="append", metavar="NAME", help="all of the folder")
    parser.add_argument("--effort", action="append", choices=EFFORTS, help="balanced")
    parser.add_argument("--block-size", action="append", type=int, help="512 and 1024")
    parser.add_argument("--runs", type=int, default=3, help="of each program (%(default)s)")
    parser.add_argument(
        "--own", action="append", metavar="NAME", help="a pair of one's own that counts in means"
    )
    parser.add_argument(
        "--linked", action="store_true", help="with old.elf and new.elf of pairs that have them"
    )
    parser.add_argument("--synthetic", action="store_true", help="padded and degenerate images")
    form = parser.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print one JSON object")
    form.add_argument("--markdown", action="store_true", help="print the tables of docs/delta.md")
    parser.add_argument("--plot", type=Path, metavar="SVG", help="draw the ratios")
    parser.add_argument("--figure", choices=("size", "wall", "peak"), default="size")
    return parser.parse_args(arguments)


def _choose(folder: Path, names: Sequence[str] | None) -> list[Pair]:
    present = {pair.name: pair for pair in present_pairs(folder)}
    if absent := [name for name in names or () if name not in present]:
        raise SystemExit(f"not in {folder}: {', '.join(absent)}; fetch with benchmarks/corpus.py")
    if not present:
        raise SystemExit(f"{folder} is empty: run benchmarks/corpus.py first")
    return [present[name] for name in names or present]


def _progress(result: Result) -> None:
    sys.stderr.write(
        f"{result.pair} {result.block_size} {result.effort}: {result.size_ratio:.3f}\n"
    )


if __name__ == "__main__":
    sys.exit(main())
