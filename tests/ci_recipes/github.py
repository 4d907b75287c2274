"""Read the workflow and the composite action of GitHub."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from .pipeline import RECIPES, Action, Cache, Give, Job, Run, Take

_EXPRESSION = re.compile(r"\$\{\{ *(.+?) *\}\}")
WORKFLOW = RECIPES / "github" / "update.yml"
ACTION = RECIPES / "github" / "action.yml"
_FOREIGN = ("actions/checkout@", "actions/setup-python@")
SECRETS = {
    "": ("STORE_READER_ID", "STORE_READER_SECRET"),
    "signing": ("UPDATE_KEY", "UPDATE_KEY_PASSPHRASE"),
    "publishing": ("STORE_WRITER_ID", "STORE_WRITER_SECRET"),
    "deploying": ("UPDATE_KEY", "UPDATE_KEY_PASSPHRASE", "SERVICE_ACCESS_KEY"),
}
_CONDITION = re.compile(r"(vars\.\w+) != ''")


def variables(tag: str, _job: Job) -> dict[str, str]:
    """Return what every job is told."""
    return {
        "CI": "true",
        "GITHUB_REF_NAME": tag,
        "GITHUB_WORKSPACE": "@WORKSPACE@",
        "RUNNER_TEMP": "@TEMP@",
    }


def read_jobs(
    tag: str, commit: str, secrets: Mapping[str, str], given: Mapping[str, str]
) -> list[Job]:
    """Return the jobs.

    Args:
        tag: what starts them.
        commit: what it is on.
        secrets: the values of all secrets.
        given: variables of the repository; those that are not there are empty.
    """
    workflow = yaml.safe_load(WORKFLOW.read_text(encoding="utf-8"))
    context = {
        "github.server_url": "https://github.com",
        "github.repository": "acme/fw",
        "github.run_id": "7",
        "github.run_attempt": "1",
        "github.sha": commit,
        "github.ref_name": tag,
        "github.workspace": "$GITHUB_WORKSPACE",
        **{f"vars.{name}": given.get(name, "") for name in ("DEPLOY_TO", "DEPLOY_OPTIONS")},
    }
    env = {name: fill_in(value, context) for name, value in workflow["env"].items()}
    jobs = []
    for name, values in workflow["jobs"].items():
        condition = _CONDITION.fullmatch(values.get("if", ""))
        assert condition or "if" not in values
        if condition and not context[condition[1]]:
            continue
        environment = values.get("environment", "")
        known = {*SECRETS[""], *SECRETS.get(environment, ())}
        # A secret that a job may not see is empty, as GitHub has it.
        told = {f"secrets.{name}": v if name in known else "" for name, v in secrets.items()}
        actions = _actions(values["steps"], {**context, **told}, env)
        jobs.append(Job(name, tuple(actions), environment))
    return jobs


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
    steps: list[dict[str, Any]], context: Mapping[str, str], env: Mapping[str, str]
) -> Iterator[Action]:
    for step in steps:
        uses, given = step.get("uses", ""), step.get("with", {})
        own = {name: fill_in(value, context) for name, value in step.get("env", {}).items()}
        if "run" in step:
            yield Run(step["run"], {**env, **own})
        elif uses == "./.github/actions/fotabuild":
            yield from _composite(given, context, env)
        elif uses.startswith("actions/upload-artifact@"):
            paths = given["path"].split()
            # One folder alone is packed without its own name. Hidden files are left out.
            single = paths[0] if len(paths) == 1 else "."
            parts = (".",) if single != "." else tuple(paths)
            assert given["overwrite"], "a second attempt could not hand over"
            yield Give(given["name"], parts, single, given.get("include-hidden-files", False))
        elif uses.startswith("actions/download-artifact@"):
            yield Take(given["name"], given.get("path", "."))
        elif uses.startswith("actions/cache@"):
            # A run on a tag sees what runs on the same tag left, and on the default branch.
            yield Cache(fill_in(given["path"], context), context["github.ref_name"])
        else:
            assert uses.startswith(_FOREIGN), f"unknown step {step}"


def _composite(
    given: Mapping[str, str], context: Mapping[str, str], env: Mapping[str, str]
) -> Iterator[Action]:
    action = yaml.safe_load(ACTION.read_text(encoding="utf-8"))
    assert set(given) <= set(action["inputs"])
    inputs = {
        f"inputs.{name}": given.get(name, values["default"])
        for name, values in action["inputs"].items()
    }
    steps = []
    for step in action["runs"]["steps"]:
        name, _, unwanted = step.get("if", "").partition(" != ")
        if not name or inputs[name] != unwanted.strip("'"):
            steps.append(step)
    yield from _actions(steps, {**context, **inputs}, env)
