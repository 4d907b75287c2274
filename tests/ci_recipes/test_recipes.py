"""The recipes for CI systems, run line by line as their systems run them."""

from __future__ import annotations

import base64
import json
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from ..command import run_fotabuild
from . import github, gitlab, jenkins
from .pipeline import Run, Take
from .scene import COMMIT, PASSPHRASE, SYSTEMS, Scene, link, make_scene

ENDINGS = ("manifest", "v1.manifest")


def artifacts(version: str, *olds: str) -> set[str]:
    """Return the names of everything that a release consists of."""
    names = {f"app-{version}.{ending}" for ending in (*ENDINGS, "bin", "suit")}
    names |= {f"app-{version}.package.{ending}" for ending in ("tar", "manifest")}
    for old in olds:
        names |= {f"app-{old}-to-{version}.{ending}" for ending in (*ENDINGS, "patch", "yaml")}
    return names | {"sbom.cdx.json", "provenance.intoto.json", "report.html", "report.json"}


@dataclass(frozen=True)
class History:
    """What a system did: two releases, and the second one once more."""

    scene: Scene
    first: dict[str, bytes]
    second: dict[str, bytes]
    again: dict[str, bytes]
    printed_again: str


@pytest.fixture(scope="module", params=SYSTEMS)
def history(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> History:
    scene = make_scene(request.param, tmp_path_factory.mktemp(request.param))
    first, second = scene.release("1.1.0"), scene.release("1.2.0")
    before = len(scene.runner.printed)
    again = scene.release("1.2.0")
    return History(scene, first, second, again, scene.runner.printed[before:])


def test_a_tag_makes_everything_of_a_release(history: History) -> None:
    assert set(history.first) == artifacts("1.1.0", "1.0.0")


def test_the_next_release_has_a_delta_from_the_one_before_and_nothing_else_of_it(
    history: History,
) -> None:
    """Nothing that an earlier run left on a machine is signed, stated or published again."""
    assert set(history.second) == artifacts("1.2.0", "1.0.0", "1.1.0")


def test_the_same_tag_again_makes_the_same_bytes(history: History) -> None:
    assert history.again == history.second


def test_the_cache_knows_the_deltas_of_the_same_tag(history: History) -> None:
    """Each system keeps it in its own way; another tag may not see it, the same one does."""
    assert history.printed_again.count(", from the cache") == 2


def test_the_store_has_every_release(history: History) -> None:
    values = json.loads(
        run_fotabuild("--json", "release", "list", cwd=history.scene.repository).stdout
    )
    found = {each["version"]: each["origin"] for each in values["releases"]}
    assert set(found) == {"1.0.0", "1.1.0", "1.2.0"}
    assert found["1.2.0"] == {"commit": COMMIT}


def test_the_statement_says_where_the_sources_are(history: History) -> None:
    envelope = json.loads(history.second["provenance.intoto.json"])
    statement = json.loads(base64.b64decode(envelope["payload"]))
    build = statement["predicate"]["buildDefinition"]
    (source,) = (m for m in build["resolvedDependencies"] if "uri" in m)
    assert source["digest"] == {"gitCommit": COMMIT}
    assert (
        source["uri"]
        == {
            "github": "git+https://github.com/acme/fw",
            "gitlab": "git+https://gitlab.acme.com/fw/thermometer",
            "jenkins": "git+ssh://git@git.acme.com/fw/thermometer.git",
        }[history.scene.system]
    )
    assert statement["predicate"]["runDetails"]["builder"]["id"].startswith("https://")
    stated = {subject["name"] for subject in statement["subject"]}
    written_after = {"provenance.intoto.json", "report.html", "report.json"}
    assert stated == set(history.second) - written_after


def test_no_secret_is_in_a_command_line_an_output_or_a_file_that_is_kept(history: History) -> None:
    runner, secrets = history.scene.runner, history.scene.secrets
    body = secrets["UPDATE_KEY"].splitlines()[1]
    store = [value for name, value in secrets.items() if name.startswith("STORE_")]
    calls = runner.calls.read_text()
    assert calls.count("fotabuild build") == 9
    for secret in (PASSPHRASE, body, secrets["JOB_TOKEN"], *store):
        assert secret not in calls
        assert secret not in runner.printed
    for place in ("jobs", "handed", "kept", "home"):
        for path in (runner.work / place).rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                assert PASSPHRASE.encode() not in data, path
                assert body.encode() not in data, path


def test_only_what_is_pinned_is_installed_and_before_the_key_is_there(history: History) -> None:
    calls = history.scene.runner.calls.read_text().splitlines()
    installed = {line for line in calls if " -m pip " in line}
    assert installed == {"python3 -m pip install --quiet --require-hashes -r ci/requirements.txt"}
    (sign,) = (job for job in history.scene.jobs("v1.2.0") if job.environment == "signing")
    runs = [action for action in sign.actions if isinstance(action, Run)]
    pip = [index for index, run in enumerate(runs) if " pip " in run.lines]
    for run in runs[: pip[-1] + 1] if history.scene.system != "gitlab" else ():
        assert not {"KEY_FILE", "KEY_PASSPHRASE", "UPDATE_KEY"} & set(run.env)


def test_only_one_job_has_the_key(history: History) -> None:
    scene = history.scene
    jobs = scene.jobs("v1.2.0")
    assert [job.name for job in jobs] == ["prepare", "sign", "publish"]
    for job in jobs:
        given = {
            value
            for action in job.actions
            if isinstance(action, Run)
            for value in action.env.values()
        }
        if scene.system == "gitlab":
            given |= set(gitlab.variables("v1.2.0", COMMIT, job, scene.secrets).values())
        assert (PASSPHRASE in given) is (job.name == "sign")
        assert ("canary-WRITER-SECRET" in given) is (job.name == "publish")


@pytest.mark.parametrize("ending", ["patch", "tar", "tbs"])
def test_what_was_changed_between_jobs_is_not_signed(ending: str, tmp_path: Path) -> None:
    scene = make_scene("gitlab", tmp_path)
    link(scene.repository, "1.1.0")
    prepare, sign, _ = scene.jobs("v1.1.0")
    scene.run(prepare, "v1.1.0")
    path = sorted((scene.runner.work / "handed").rglob(f"*.{ending}"))[0]
    path.write_bytes(path.read_bytes()[:-1] + b"!")
    with pytest.raises(AssertionError, match=r"FB0[47]0\d"):
        scene.run(sign, "v1.1.0")
    assert not list((scene.runner.work / "jobs").rglob("*.sig"))


@pytest.mark.parametrize("system", SYSTEMS)
@pytest.mark.parametrize("name", ["sign", "publish"])
def test_what_is_handed_over_is_never_run(system: str, name: str, tmp_path: Path) -> None:
    """Who has the build job may hand over any file, under any name: no job with rights runs it."""
    scene = make_scene(system, tmp_path)
    link(scene.repository, "1.1.0")
    jobs = scene.jobs("v1.1.0")
    for job in jobs[: [job.name for job in jobs].index(name)]:
        scene.run(job, "v1.1.0")
    place = scene.runner.work / "handed"
    (handed,) = (
        place / action.name
        for job in jobs
        for action in job.actions
        if job.name == name and isinstance(action, Take)
    )
    tool = "#!/bin/sh\necho STOLEN\n"
    config = (scene.repository / "fotabuild.yaml").read_text()
    certificate = "  certificate: keys/update.cert.der\n"
    assert certificate in config
    hostile = {
        "ci/update.sh": 'echo "STOLEN ${KEY_FILE:-}"\n',
        "ci/requirements.txt": "STOLEN\n",
        "pip.py": "STOLEN\n",
        "tool": tool,
        "fotabuild.yaml": config.replace(certificate, f"{certificate}  signing-tool: ./tool\n"),
        ".git/config": "[core]\n\tfsmonitor = echo STOLEN >&2; false\n\tpager = echo STOLEN\n",
        ".git/hooks/post-checkout": tool,
    }
    for path, text in hostile.items():
        (handed / path).parent.mkdir(parents=True, exist_ok=True)
        (handed / path).write_text(text)
        (handed / path).chmod(0o755)
    (job,) = (job for job in jobs if job.name == name)
    if (system, name) == ("github", "publish"):
        # The artifact is the folder itself here: what is added to it, nobody has stated.
        with pytest.raises(AssertionError, match="no statement here speaks of this content"):
            scene.run(job, "v1.1.0")
        assert "STOLEN" not in scene.runner.printed
        return
    workspace = scene.run(job, "v1.1.0")
    assert "STOLEN" not in scene.runner.printed
    made = artifacts("1.1.0", "1.0.0")
    if name == "sign":
        made -= {"report.html", "report.json"}
    assert {path.name for path in (workspace / "update").iterdir()} == made


def test_no_job_with_rights_is_where_a_build_was() -> None:
    names = ["KEY_FILE", "UPDATE_KEY_PASSPHRASE", "SERVICE_ACCESS_KEY"]
    names += [f"STORE_{who}_{what}" for who in ("READER", "WRITER") for what in ("ID", "SECRET")]
    jobs = jenkins.read_jobs(dict.fromkeys(names, ""), {"DEPLOY_TO": "https://acme.com"})
    assert [job.machine for job in jobs] == ["build", "signing", "signing", "signing"]


def test_branches_start_nothing() -> None:
    assert gitlab.read_jobs("", {"DEPLOY_TO": "https://acme.com"}) == []
    assert "when { buildingTag() }" in jenkins.text().partition("stage('prepare')")[0]
    workflow = yaml.safe_load(github.WORKFLOW.read_text())
    # YAML reads the word "on" as true.
    assert workflow[True] == {"push": {"tags": ["v*"]}}


def test_no_shell_line_of_github_holds_an_expression() -> None:
    """Whoever names a tag or a branch must not be able to write shell."""
    for path in (github.WORKFLOW, github.ACTION):
        lines = list(github.all_runs(yaml.safe_load(path.read_text())))
        assert lines
        for line in lines:
            assert "${{" not in line
