"""``manifest-delta-tool``: make a patch with its side file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from fotabuild.cli.dropin.log import Log
from fotabuild.cli.dropin.program import add_version, existing_file, integer, run_program

_THRESHOLD = 60
_MIN_BLOCK_SIZE, _MAX_BLOCK_SIZE = 128, 1 << 24


def make_parser() -> argparse.ArgumentParser:
    """Return the parser of the whole command line."""
    parser = argparse.ArgumentParser(
        prog="manifest-delta-tool", description="Make a patch from the current firmware to a new."
    )
    add_version(parser)
    parser.add_argument(
        "-c", "--current-fw", type=existing_file, required=True, help="image on devices"
    )
    parser.add_argument(
        "-n", "--new-fw", type=existing_file, required=True, help="image to update to"
    )
    parser.add_argument(
        "-o", "--output", type=Path, required=True, help="the patch; its side file ends in .yaml"
    )
    parser.add_argument(
        "-b",
        "--block-size",
        type=integer(_MIN_BLOCK_SIZE, _MAX_BLOCK_SIZE),
        default=512,
        help="devices need two such buffers (default: %(default)s)",
    )
    size = parser.add_mutually_exclusive_group()
    size.add_argument(
        "-t",
        "--threshold",
        type=integer(30, 99),
        metavar="30..99",
        help=f"refuse a patch of this percentage of the new image or more ({_THRESHOLD})",
    )
    size.add_argument("--skip-size-check", action="store_true", help="accept a patch of any size")
    parser.set_defaults(run=_run)
    return parser


def entry_point(argv: Sequence[str] | None = None) -> int:
    """Run the program; ``argv`` does not hold its name."""
    return run_program(make_parser(), argv)


def _run(args: argparse.Namespace, log: Log) -> None:
    from fotabuild.device.patch_device import PatchDevice
    from fotabuild.formats.patch_sidecar import sidecar_of
    from fotabuild.formats.patch_stream import MAGIC
    from fotabuild.steps.delta import DeltaStep

    log.info(f"Current tool version {MAGIC.decode()}")
    step = DeltaStep(
        old_image=args.current_fw,
        new_image=args.new_fw,
        block_size=args.block_size,
        threshold=None if args.skip_size_check else args.threshold or _THRESHOLD,
        device=PatchDevice(memory=2 * args.block_size),
        output=args.output,
        sidecar=sidecar_of(args.output),
    )
    result = step.run()
    for warning in result.warnings:
        log.warning(warning)
    log.info(f"Wrote diff file {args.output}, {result.summary}")


if __name__ == "__main__":
    sys.exit(entry_point())
