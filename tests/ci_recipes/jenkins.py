"""Read the pipeline of Jenkins: the few words of Groovy that it is made of."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Mapping

from .pipeline import RECIPES, Action, Give, Job, Run, Take

FILE = RECIPES / "Jenkinsfile"
_CREDENTIAL = re.compile(
    r"file\(credentialsId: '(?P<file>[\w-]+)', variable: '(?P<path>\w+)'\)"
    r"|string\(credentialsId: '(?P<string>[\w-]+)', variable: '(?P<text>\w+)'\)"
    r"|usernamePassword\(credentialsId: '(?P<pair>[\w-]+)',\s*usernameVariable: '(?P<user>\w+)',"
    r"\s*passwordVariable: '(?P<password>\w+)'\)",
)
_CONDITION = re.compile(r"when \{\s+beforeAgent true\s+expression \{ env\.(\w+) \}\s+\}")
_TEXTS = {
    "update-key-passphrase": "UPDATE_KEY_PASSPHRASE",
    "service-access-key": "SERVICE_ACCESS_KEY",
}
_STEP = re.compile(
    r"(?:withCredentials\(\[(?P<credentials>[^\]]*)\]\) \{\s*)?sh '''\n(?P<sh>.*?)'''"
    r"|(?:dir\('(?P<into>\w+)'\) \{ )?unstash '(?P<take>\w+)'"
    r"|stash name: '(?P<give>\w+)', includes: '(?P<paths>[^']+)'"
    r"|archiveArtifacts artifacts: '(?P<archive>[^']+)'",
    re.DOTALL,
)


def text() -> str:
    """Return the file without comments."""
    return re.sub(r"^\s*//.*\n", "", FILE.read_text(encoding="utf-8"), flags=re.MULTILINE)


def variables(tag: str, commit: str, url: str) -> dict[str, str]:
    """Return what every stage is told.

    Address and commit of the sources are known to a stage that Jenkins checked out by itself: a
    pipeline that skips this, and says ``checkout scm``, has them not.
    """
    given = {
        "TAG_NAME": tag,
        "BUILD_URL": "https://jenkins.acme.com/job/7/",
        "WORKSPACE": "@WORKSPACE@",
        "WORKSPACE_TMP": "@TEMP@",
    }
    return given if "skipDefaultCheckout" in text() else {
        **given, "GIT_URL": url, "GIT_COMMIT": commit,
    }  # fmt: skip


def read_jobs(secrets: Mapping[str, str], given: Mapping[str, str]) -> list[Job]:
    """Return the stages with steps, with these global variables; an agent keeps its workspace."""
    head, *stages = re.split(r"stage\('(\w+)'\)", text())
    env = dict(re.findall(r"(\w+) = '([^']*)'", head))
    jobs = []
    for name, body in zip(stages[::2], stages[1::2], strict=True):
        if "steps {" not in body:
            continue
        wanted = _CONDITION.search(body)
        if wanted and not given.get(wanted[1]):
            continue
        actions: list[Action] = []
        for found in _STEP.finditer(body):
            if found["sh"] is not None:
                bound = _bind(found["credentials"] or "", secrets)
                # Jenkins prints what its shell does.
                actions.append(Run(textwrap.dedent(found["sh"]), {**env, **bound}, ("sh", "-xe")))
            elif found["take"] is not None:
                actions.append(Take(found["take"], found["into"] or "."))
            else:
                patterns = found["paths"] or found["archive"]
                paths = tuple(path.removesuffix("/**") for path in patterns.split(","))
                actions.append(Give(found["give"] or "archive", paths))
        assert body.count("sh '''") == sum(isinstance(action, Run) for action in actions)
        (agent,) = re.findall(r"agent \{ label '(\w+)' \}", body)
        environment = {"sign": "signing", "deploy": "deploying"}.get(name, "")
        assert bool(environment) == ("update-key" in body)
        jobs.append(Job(name, tuple(actions), environment, agent))
    return jobs


def _bind(text: str, secrets: Mapping[str, str]) -> dict[str, str]:
    bound = {}
    for found in _CREDENTIAL.finditer(text):
        if found["file"] == "update-key":
            bound[found["path"]] = secrets["KEY_FILE"]
        elif found["string"]:
            bound[found["text"]] = secrets[_TEXTS[found["string"]]]
        else:
            name = {"store-reader": "STORE_READER", "store-writer": "STORE_WRITER"}[found["pair"]]
            bound[found["user"]] = secrets[f"{name}_ID"]
            bound[found["password"]] = secrets[f"{name}_SECRET"]
    assert text.count("credentialsId") * 2 >= len(bound) >= text.count("credentialsId")
    return bound
