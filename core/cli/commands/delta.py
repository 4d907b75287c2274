"""``fotabuild delta``: make a patch from an old image to a new one."""

from __future__ import annotations

import argparse
from pathlib import Path

from fotabuild.cli.artifacts import run_steps
from fotabuild.cli.options import Subparsers, add_dry_run
from fotabuild.cli.output import Output
from fotabuild.errors import UsageError

_MIN_BLOCK_SIZE = 64
_MAX_BLOCK_SIZE = 1 << 24
_DEFAULT_THRESHOLD = 60
_THRESHOLD_MAX = 1000


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
    add_dry_run(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Run the one step for a device that has the memory for these blocks."""
    from fotabuild.device.profile import DeviceLimits, DeviceProfile
    from fotabuild.steps.delta import DeltaStep, sidecar_of

    if not _MIN_BLOCK_SIZE <= args.block_size <= _MAX_BLOCK_SIZE:
        raise UsageError(f"--block-size must be between {_MIN_BLOCK_SIZE} and {_MAX_BLOCK_SIZE}")
    threshold = _DEFAULT_THRESHOLD if args.threshold is None else args.threshold
    if not 1 <= threshold <= _THRESHOLD_MAX:
        raise UsageError(f"--threshold must be between 1 and {_THRESHOLD_MAX}")
    step = DeltaStep(
        old_image=args.current_fw,
        new_image=args.new_fw,
        block_size=args.block_size,
        threshold=None if args.skip_size_check else threshold,
        profile=DeviceProfile(limits=DeviceLimits(patch_memory=2 * args.block_size)),
        output=args.output,
        sidecar=sidecar_of(args.output),
    )
    return run_steps(args, output, [step])
