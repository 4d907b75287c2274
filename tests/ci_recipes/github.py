"""Read the workflow and the composite action of GitHub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from .pipeline import RECIPES, Cache, Give, Job, Run, Take

_EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")
WORKFLOW = RECIPES / "github" / "update.yml"
ACTION = RECIPES / "github" / "action.yml"
_FOREIGN = ("actions/checkout@", "actions/setup-python@")


def read_jobs(context: Mapping[str, str]) -> list[Job]:
    """Return the jobs; ``context`` has the values of expressions."""
    jobs = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))["jobs"]
    return [
        Job(name, tuple(_actions(values["steps"], context)), "environment" in values)
        for name, values in jobs.items()
    ]


def fill_in(text: str, context: Mapping[str, str]) -> str:
    """Replace expressions.

    Raises:
        KeyError: an expression that the context does not know.
    """
    return _EXPRESSION.sub(lambda found: context[found[1]], text)


def all_runs(values: Any) -> Iterator[str]:
    """Yield everything below ``values`` that a shell is given."""
    if isinstance(values, dict):
        for key, value in values.items():
            if key == "run":
                yield value
            else:
                yield from all_runs(value)
    elif isinstance(values, list):
        for value in values:
            yield from all_runs(value)


def _actions(
    steps: list[dict[str, Any]], context: Mapping[str, str]
) -> Iterator[Run | Give | Take | Cache]:
    for step in steps:
        uses, given = step.get("uses", ""), step.get("with", {})
        env = {name: fill_in(value, context) for name, value in step.get("env", {}).items()}
        if "run" in step:
            yield Run(step["run"], env)
        elif uses == "./.github/actions/fotabuild":
            yield from _composite(given, env, context)
        elif uses.startswith("actions/upload-artifact@"):
            paths = given["path"].split()
            # One folder alone is packed without its own name.
            single = paths[0] if len(paths) == 1 else "."
            yield Give(given["name"], (".",) if single != "." else tuple(paths), single)
        elif uses.startswith("actions/download-artifact@"):
            yield Take(given["name"], given.get("path", "."))
        elif uses.startswith("actions/cache@"):
            yield Cache(given["path"])
        else:
            assert uses.startswith(_FOREIGN), f"unknown step {step}"


def _composite(
    given: Mapping[str, str], env: Mapping[str, str], context: Mapping[str, str]
) -> Iterator[Run | Give | Take | Cache]:
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    inputs = {}
    for name, values in action["inputs"].items():
        assert name in given or not values.get("required"), f"the action needs {name}"
        inputs[f"inputs.{name}"] = fill_in(given.get(name, values.get("default", "")), context)
    assert set(given) <= set(action["inputs"])
    steps = []
    for step in action["runs"]["steps"]:
        condition = step.get("if")
        if condition is not None:
            name, wanted = condition.split(" == ")
            if inputs[name] != wanted.strip("'"):
                continue
        steps.append({**step, "env": {**env, **step.get("env", {})}} if "run" in step else step)
    yield from _actions(steps, {**context, **inputs})
