"""``fotabuild build``: make every artifact of an image."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.artifacts import run_steps
from fotabuild.cli.options import (
    Subparsers,
    add_config,
    add_dry_run,
    add_signing,
    add_workforce,
    read_config,
    utf8_text,
    workforce_from,
)
from fotabuild.cli.output import Output
from fotabuild.cli.signing_apart import add_stages

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fotabuild.config.loader import LoadedConfig
    from fotabuild.plan.build import Build
    from fotabuild.plan.plan import Plan
    from fotabuild.steps.step import Step


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "build",
        help="make every update artifact of an image",
        description="Makes the flat image with its manifest, a delta with side file and manifest "
        "from each older release, and the combined package with its manifest if the configuration "
        "declares one. Prints the names of the files. With --prepare, --sign and --attach the same "
        "in three stages, so that the key is on a machine that builds nothing.",
    )
    add_build(parser)
    parser.add_argument(
        "--require-deltas",
        action="store_true",
        help="fail where a delta is not worth it, or where a release cannot apply it, instead of "
        "leaving it to the full image",
    )
    add_stages(parser)
    add_workforce(parser, jobs=1)
    add_dry_run(parser)
    parser.set_defaults(run=run)


def add_build(parser: argparse.ArgumentParser, *, optional: bool = False) -> None:
    """Add the options that describe one build; the command checks those that are optional."""
    parser.add_argument(
        "image",
        type=Path,
        nargs="?" if optional else None,
        help="the linked firmware: ELF file or flat binary",
    )
    parser.add_argument(
        "-v", "--fw-version", required=not optional, metavar="VERSION", help="its version, 1.2.3"
    )
    parser.add_argument(
        "-o",
        "--output-dir",
        type=Path,
        metavar="DIR",
        help="folder for the artifacts (default: publish.destination, or 'update' beside the "
        "configuration)",
    )
    parser.add_argument(
        "--name", type=utf8_text, default="", help="what file names begin with (default: image's)"
    )
    parser.add_argument(
        "--resources", type=Path, metavar="C", help="also write the update resources source"
    )
    add_config(parser)
    add_signing(parser)


def run(args: argparse.Namespace, output: Output) -> int:
    """Make the plan and run it."""
    from fotabuild.cli.deltas import BuildDeltas
    from fotabuild.cli.signing_apart import SigningApart, stage_from
    from fotabuild.steps.ahead import check_inputs, open_keys

    stage = stage_from(args)
    plan = plan_from(
        args,
        signed_here=args.prepare is None and args.attach is None,
        reported_here=args.prepare is None and args.sign is None,
    )
    for note in plan.notes:
        output.say(f"note: {note}")
    workforce = workforce_from(args)
    deltas = BuildDeltas(plan.steps, workforce, args.require_deltas, output.say, plan.notes)
    if stage is not None:
        if args.prepare is not None:
            _check_payloads(plan.steps)
        return SigningApart(*stage, deltas, output).run(plan.steps, dry_run=args.dry_run)
    # Dry runs of single steps look at nothing: build systems describe steps with them.
    check_inputs(plan.steps)
    if not args.dry_run:
        open_keys(plan.steps)
    return run_steps(args, output, plan.steps, deltas)


def _check_payloads(steps: Sequence[Step]) -> None:
    """Look at what payloads are made from; signing and the report are matters of other stages."""
    from fotabuild.steps.ahead import check_inputs
    from fotabuild.steps.step import StepKind

    check_inputs(
        [step for step in steps if not (step.kind.is_manifest or step.kind is StepKind.REPORT)]
    )


def plan_from(args: argparse.Namespace, **here: bool) -> Plan:
    """Return the plan that the options describe.

    Args:
        args: parsed options.
        here: what is done here, as for ``make_plan``.
    """
    from fotabuild.plan.plan import make_plan

    config = read_config(args)
    return make_plan(config, build_from(args, config), **here)


def build_from(args: argparse.Namespace, config: LoadedConfig) -> Build:
    """Return the build that the options describe."""
    from fotabuild.formats.firmware_version import FirmwareVersion
    from fotabuild.plan.build import Build

    destination = config.project.publish.destination
    folder = args.output_dir or Path(destination or config.folder / "update")
    return Build(
        image=args.image.absolute(),
        version=FirmwareVersion.parse(args.fw_version),
        folder=folder.absolute(),
        name=args.name,
        resources=args.resources and args.resources.absolute(),
    )
