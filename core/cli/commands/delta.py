"""``fotabuild delta``: make a patch from an old image to a new one."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.artifacts import run_steps
from fotabuild.cli.options import EFFORTS, Subparsers, add_dry_run
from fotabuild.cli.output import Output
from fotabuild.errors import UsageError

_MIN_BLOCK_SIZE = 64
_MAX_BLOCK_SIZE = 1 << 24
_DEFAULT_THRESHOLD = 60
_THRESHOLD_MAX = 1000
_TIME_LIMIT_MAX = 86400


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "delta",
        help="make a patch from an old image to a new one",
        description="Makes the patch, applies it as a device does, compares the result, and only "
        "then writes the patch with its side file. Needs no configuration.",
    )
    parser.add_argument(
        "-c",
        "--current-fw",
        type=Path,
        required=True,
        metavar="OLD",
        help="the image as installed on devices",
    )
    parser.add_argument(
        "-n", "--new-fw", type=Path, required=True, metavar="NEW", help="the image to update to"
    )
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        required=True,
        metavar="PATCH",
        help="the patch; its side file gets the suffix .yaml",
    )
    parser.add_argument(
        "-b",
        "--block-size",
        type=int,
        default=512,
        metavar="BYTES",
        help="bound on frames; the device needs two such buffers of heap (default: %(default)s)",
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "-t",
        "--threshold",
        type=int,
        # No default here: argparse would not notice that 60 was given beside --skip-size-check.
        metavar="PERCENT",
        help="refuse a patch of this share of the new image or more "
        f"(default: {_DEFAULT_THRESHOLD})",
    )
    size.add_argument("--skip-size-check", action="store_true", help="accept a patch of any size")
    parser.add_argument(
        "--effort",
        choices=EFFORTS,
        default="balanced",
        help="how hard to look for a smaller patch (default: %(default)s)",
    )
    parser.add_argument(
        "--time-limit",
        type=float,
        metavar="SECONDS",
        help="take the smallest patch found by then; it then depends on the machine's speed",
    )
    parser.add_argument(
        "--old-elf",
        type=Path,
        metavar="ELF",
        help="the linked file of OLD; with --new-elf its symbols help with a smaller patch",
    )
    parser.add_argument(
        "--new-elf", type=Path, metavar="ELF", help="the linked file of NEW, also for --explain"
    )
    parser.add_argument(
        "--explain",
        nargs="?",
        const="",
        metavar="HTML",
        help="say which parts of the image the bytes of the patch are for, and what other block "
        "sizes would save; write it as a page with pictures if a file is named",
    )
    add_dry_run(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Run the one step for a device that has the memory for these blocks."""
    from fotabuild.delta.effort import Effort
    from fotabuild.device.patch_device import PatchDevice
    from fotabuild.formats.patch_sidecar import sidecar_of
    from fotabuild.steps.delta import DeltaStep

    _check(args)
    threshold = _DEFAULT_THRESHOLD if args.threshold is None else args.threshold
    step = DeltaStep(
        old_image=args.current_fw,
        new_image=args.new_fw,
        block_size=args.block_size,
        threshold=None if args.skip_size_check else threshold,
        device=PatchDevice(memory=2 * args.block_size),
        output=args.output,
        sidecar=sidecar_of(args.output),
        effort=Effort(args.effort),
        time_limit=args.time_limit,
        old_elf=args.old_elf,
        new_elf=args.new_elf,
    )
    if args.explain is None or args.dry_run:
        return run_steps(args, output, [step])
    from fotabuild.cli.explanation import explain_step

    return explain_step(step, output, Path(args.explain) if args.explain else None)


def _check(args: argparse.Namespace) -> None:
    if not _MIN_BLOCK_SIZE <= args.block_size <= _MAX_BLOCK_SIZE:
        raise UsageError(f"--block-size must be between {_MIN_BLOCK_SIZE} and {_MAX_BLOCK_SIZE}")
    if args.threshold is not None and not 1 <= args.threshold <= _THRESHOLD_MAX:
        raise UsageError(f"--threshold must be between 1 and {_THRESHOLD_MAX}")
    # The comparison is false for "nan", too.
    if args.time_limit is not None and not 0 < args.time_limit <= _TIME_LIMIT_MAX:
        raise UsageError(f"--time-limit must be above 0 and at most {_TIME_LIMIT_MAX} seconds")
    if args.old_elf is not None and args.new_elf is None:
        raise UsageError("--old-elf is of use only with --new-elf")
