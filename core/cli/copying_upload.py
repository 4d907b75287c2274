"""``fotabuild upload`` to a folder or storage: build what is missing, and copy the artifacts."""

from __future__ import annotations

import argparse
from typing import Any

from fotabuild.cli.commands.build import build_from
from fotabuild.cli.deltas import BuildDeltas
from fotabuild.cli.output import Output
from fotabuild.cli.upload_events import Reporter
from fotabuild.config.loader import LoadedConfig
from fotabuild.errors import ExitStatus
from fotabuild.matrix.run import Workforce
from fotabuild.plan.plan import make_plan
from fotabuild.publish.destination import copying_destination
from fotabuild.publish.folder import Artifact, Release
from fotabuild.steps.rerun import run_again
from fotabuild.steps.step import Step


def copy_release(
    args: argparse.Namespace, output: Output, config: LoadedConfig, place: str | None
) -> int:
    """Build, and copy the artifacts.

    Args:
        args: the parsed options.
        output: where to print.
        config: the project.
        place: folder or storage URL; None leaves them where they are made.
    """
    build = build_from(args, config)
    destination = copying_destination(place or str(build.folder))
    made_here = not args.built
    plan = make_plan(config, build, signed_here=made_here, reported_here=made_here)
    for note in plan.notes:
        output.say(f"note: {note}")
    destination.check()
    deltas = BuildDeltas(plan.steps, Workforce(), False, output.say, plan.notes, run_again)
    artifacts = tuple(
        Artifact(path, step.kind.value, _since(step))
        for step in plan.steps
        if _is_there(step, args, deltas, output)
        for path in step.outputs
    )
    release = Release(
        name=build.name or build.image.stem,
        version=str(build.version),
        component=config.project.component,
        vendor_id=config.identity.vendor_id.hex,
        class_id=config.identity.class_id.hex,
        artifacts=artifacts,
    )
    if args.dry_run:
        output.say(f"would publish to {destination.place}")
        names = destination.names(release)
    else:
        with Reporter(output) as report:
            names = destination.publish(release, report)
    values = {"event": "result", "dry-run": args.dry_run, "place": destination.place}
    output.result({**values, "files": list(names), "notes": deltas.notes}, "\n".join(names))
    return ExitStatus.OK


def _is_there(step: Step, args: argparse.Namespace, deltas: BuildDeltas, output: Output) -> bool:
    """Run a step if it is to be run; return whether its artifact is published.

    A delta that is not worth it is left out with its manifests, as in every build.
    """
    if args.dry_run:
        output.say(f"would make {step.name}")
        return True
    if args.built:
        return deltas.is_built(step)
    result = deltas.run(step)
    if result is None:
        return False
    output.say(f"{step.kind.value:<10}{step.outputs[0].name}: {result.summary}")
    for warning in result.warnings:
        output.warn(warning)
    return True


def _since(step: Any) -> str | None:
    precursor = getattr(step, "precursor", None)
    return None if precursor is None else str(precursor.version)
