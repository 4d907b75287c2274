"""``fotabuild plan``: print the steps of a build."""

from __future__ import annotations

import argparse

from fotabuild.cli.artifacts import describe
from fotabuild.cli.commands.build import add_build, plan_from
from fotabuild.cli.options import Subparsers
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "plan",
        help="print the steps of a build, and run none",
        description="Prints each step with the files that it reads (<) and writes (>). No input "
        "file but the configuration is read.",
    )
    add_build(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Make the plan and print it."""
    plan = plan_from(args)
    lines = []
    for step in plan.steps:
        lines.append(step.name)
        lines += [f"    < {path}" for path in step.inputs]
        lines += [f"    > {path}" for path in step.outputs]
    lines += [f"note: {note}" for note in plan.notes]
    lines += [f"depends on: {path}" for path in plan.reads]
    steps = [describe(step) for step in plan.steps] if output.as_json else []
    values = {
        "steps": steps,
        "notes": list(plan.notes),
        "reads": [str(path) for path in plan.reads],
        "sources": [str(path) for path in plan.sources],
    }
    output.result(values, "\n".join(lines))
    return ExitStatus.OK
