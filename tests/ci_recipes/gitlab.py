"""Read the pipeline of GitLab."""

from __future__ import annotations

import re
from collections.abc import Mapping

import yaml

from .pipeline import RECIPES, Cache, Give, Job, Run, Take

FILE = RECIPES / "gitlab-ci.yml"
_RULE = re.compile(r"\$CI_COMMIT_TAG =~ /(.+)/(?: && \$(\w+))?")


def variables(tag: str, commit: str, job: Job, secrets: Mapping[str, str]) -> dict[str, str]:
    """Return what a job is told: those of an environment are for its jobs alone."""
    given = {
        "CI": "true",
        "CI_COMMIT_TAG": tag,
        "CI_COMMIT_SHA": commit,
        "CI_SERVER_URL": "https://gitlab.acme.com",
        "CI_PROJECT_PATH": "fw/thermometer",
        "CI_PROJECT_URL": "https://gitlab.acme.com/fw/thermometer",
        "CI_PROJECT_DIR": "@WORKSPACE@",
        "CI_JOB_ID": "7",
        "CI_JOB_TOKEN": secrets["JOB_TOKEN"],
        "TMPDIR": "@TEMP@",
    }
    which = "WRITER" if job.environment == "publishing" else "READER"
    given["AWS_ACCESS_KEY_ID"] = secrets[f"STORE_{which}_ID"]
    given["AWS_SECRET_ACCESS_KEY"] = secrets[f"STORE_{which}_SECRET"]
    if job.environment in ("signing", "deploying"):
        given["KEY_FILE"] = secrets["KEY_FILE"]
        given["KEY_PASSPHRASE"] = secrets["UPDATE_KEY_PASSPHRASE"]
    if job.environment == "deploying":
        given["ACCESS_KEY_FILE"] = secrets["ACCESS_KEY_FILE"]
    return given


def read_jobs(tag: str, given: Mapping[str, str]) -> list[Job]:
    """Return the jobs for a tag, and variables of the project, in the order of their stages.

    What a job needs is unpacked over its checkout before the first line runs.
    """
    values = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    before = values["default"]["before_script"]
    jobs = []
    for stage in values["stages"]:
        (name,) = (n for n, job in values.items() if isinstance(job, dict) and "script" in job
                   and job["stage"] == stage)  # fmt: skip
        job = values[name]
        (rule,) = (_RULE.fullmatch(each["if"]) for each in job["rules"])
        if rule is None or not re.search(rule[1], tag) or (rule[2] and not given.get(rule[2])):
            continue
        lines = "\n".join([*job.get("before_script", before), *job["script"]])
        kept = job.get("artifacts", {"paths": []})["paths"]
        cache = job.get("cache", {})
        jobs.append(
            Job(
                name,
                (
                    *(Cache(path.rstrip("/"), cache["key"]) for path in cache.get("paths", [])),
                    *(Take(needed) for needed in job.get("needs", [])),
                    Run(lines, {**values["variables"], **job.get("variables", {})}),
                    *([Give(name, tuple(path.rstrip("/") for path in kept))] if kept else []),
                ),
                job.get("environment", ""),
            )
        )
    return jobs
