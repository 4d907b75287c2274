"""Read the pipeline of Jenkins: the few words of Groovy that it is made of."""

from __future__ import annotations

import re
import textwrap

from .pipeline import RECIPES, Give, Job, Run, Take

FILE = RECIPES / "Jenkinsfile"
_STEP = re.compile(
    r"sh '''\n(?P<sh>.*?)'''"
    r"|unstash '(?P<take>\w+)'"
    r"|stash name: '(?P<give>\w+)', includes: '(?P<paths>[^']+)'"
    r"|archiveArtifacts artifacts: '(?P<archive>[^']+)'",
    re.DOTALL,
)


def read_jobs() -> list[Job]:
    """Return the stages."""
    text = re.sub(r"^\s*//.*\n", "", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    head, *stages = re.split(r"stage\('(\w+)'\)", text)
    env = dict(re.findall(r"(\w+) = '([^']*)'", head))
    jobs = []
    for name, body in zip(stages[::2], stages[1::2], strict=True):
        actions: list[Run | Give | Take] = []
        for found in _STEP.finditer(body):
            if found["sh"] is not None:
                # Jenkins prints what its shell does.
                actions.append(Run(textwrap.dedent(found["sh"]), env, ("sh", "-xe")))
            elif found["take"] is not None:
                actions.append(Take(found["take"]))
            else:
                patterns = found["paths"] or found["archive"]
                paths = tuple(path.removesuffix("/**") for path in patterns.split(","))
                actions.append(Give(found["give"] or "archive", paths))
        assert body.count("sh '''") == sum(isinstance(action, Run) for action in actions)
        jobs.append(Job(name, tuple(actions), "withCredentials" in body))
    return jobs
