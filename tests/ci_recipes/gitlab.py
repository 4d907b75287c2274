"""Read the pipeline of GitLab."""

from __future__ import annotations

import yaml

from .pipeline import RECIPES, Cache, Give, Job, Run, Take

FILE = RECIPES / "gitlab-ci.yml"


def read_jobs() -> list[Job]:
    """Return the jobs in the order of their stages."""
    values = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    before = values["default"]["before_script"]
    jobs = []
    for stage in values["stages"]:
        (name,) = (n for n, job in values.items() if isinstance(job, dict) and "script" in job
                   and job["stage"] == stage)  # fmt: skip
        job = values[name]
        lines = "\n".join([*before, *job["script"]])
        paths = tuple(path.rstrip("/") for path in job["artifacts"]["paths"])
        jobs.append(
            Job(
                name,
                (
                    *(Cache(path.rstrip("/")) for path in job.get("cache", {}).get("paths", [])),
                    *(Take(needed) for needed in job.get("needs", [])),
                    Run(lines, values["variables"]),
                    Give(name, paths),
                ),
                "environment" in job,
            )
        )
    return jobs
