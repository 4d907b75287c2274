"""The recipes for CI systems, run line by line in clean folders."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from ..command import run_fotabuild
from ..docs.scenes import project
from ..formats.golden import KEY
from . import github, gitlab, jenkins
from .pipeline import RECIPES, Job, Run, Runner

PASSPHRASE = "correct-horse-battery-staple"
COMMIT = "0123456789abcdef0123456789abcdef01234567"
VARIABLES = {
    "GITHUB_REF_NAME": "v1.1.0",
    "CI_COMMIT_TAG": "v1.1.0",
    "CI_COMMIT_SHA": COMMIT,
    "CI_SERVER_URL": "https://gitlab.acme.com",
    "CI_PROJECT_PATH": "fw/thermometer",
    "CI_PROJECT_URL": "https://gitlab.acme.com/fw/thermometer",
    "CI_JOB_ID": "7",
    "TAG_NAME": "v1.1.0",
    "BUILD_URL": "https://jenkins.acme.com/job/7/",
    "GIT_URL": "https://git.acme.com/fw.git",
    "GIT_COMMIT": COMMIT,
}
SYSTEMS: dict[str, Callable[[], list[Job]]] = {
    "github": lambda: github.read_jobs(
        {
            "github.server_url": "https://github.com",
            "github.repository": "acme/fw",
            "github.run_id": "7",
            "github.sha": COMMIT,
            "github.workspace": "$GITHUB_WORKSPACE",
            "steps.version.outputs.version": "1.1.0",
            "needs.prepare.outputs.version": "1.1.0",
            "secrets.UPDATE_KEY": "$UPDATE_KEY_SECRET",
            "secrets.UPDATE_KEY_PASSPHRASE": PASSPHRASE,
        }
    ),
    "gitlab": gitlab.read_jobs,
    "jenkins": jenkins.read_jobs,
}


def locked_key() -> str:
    """Return the key of the project as an encrypted PEM."""
    key = load_pem_private_key(KEY.read_bytes(), None)
    encryption = BestAvailableEncryption(PASSPHRASE.encode())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


@pytest.fixture(params=SYSTEMS)
def runner(request: pytest.FixtureRequest, tmp_path: Path) -> tuple[Runner, list[Job]]:
    """A repository without its key, and the jobs of one system."""
    repository = tmp_path / "repository"
    repository.mkdir()
    project(repository)
    for name in ("update", "other"):
        (repository / "keys" / f"{name}.key.pem").unlink()
    (repository / "ci").mkdir()
    shutil.copyfile(RECIPES / "update.sh", repository / "ci" / "update.sh")
    pem = locked_key()
    safe = tmp_path / "safe"
    safe.mkdir()
    (safe / "key.pem").write_text(pem)
    (safe / "key.pem").chmod(0o600)
    secrets = {"KEY_PASSPHRASE": PASSPHRASE, "UPDATE_KEY_SECRET": pem.rstrip("\n")}
    if request.param != "github":
        secrets["KEY_FILE"] = str(safe / "key.pem")
    made = Runner(repository, tmp_path / "machines", VARIABLES, secrets)
    return made, SYSTEMS[request.param]()


def test_the_jobs_make_a_signed_and_stated_update(runner: tuple[Runner, list[Job]]) -> None:
    machines, jobs = runner
    assert [(job.name, job.signs) for job in jobs] == [
        ("prepare", False),
        ("sign", True),
        ("check", False),
    ]
    spaces = [machines.run(job) for job in jobs]
    update = spaces[-1] / "update"
    assert sorted(path.name for path in update.iterdir()) == [
        "app-1.0.0-to-1.1.0.manifest",
        "app-1.0.0-to-1.1.0.patch",
        "app-1.0.0-to-1.1.0.yaml",
        "app-1.1.0.bin",
        "app-1.1.0.manifest",
        "provenance.intoto.json",
        "report.html",
        "report.json",
    ]
    done = run_fotabuild("verify", update, "--require-provenance", cwd=machines.project)
    assert done.status == 0, done.stderr
    # No signature in the first job, and nothing in the last one that the second did not make.
    assert not list((spaces[0] / "update").glob("*.manifest"))
    for path in (spaces[1] / "update").iterdir():
        assert (update / path.name).read_bytes() == path.read_bytes()


def test_no_secret_is_in_a_command_line_an_output_or_a_file_that_is_kept(
    runner: tuple[Runner, list[Job]],
) -> None:
    machines, jobs = runner
    for job in jobs:
        machines.run(job)
    calls = machines.calls.read_text()
    assert calls.count("openssl dgst") == 2
    body = machines.secrets["UPDATE_KEY_SECRET"].splitlines()[1]
    for secret in (PASSPHRASE, body):
        assert secret not in calls
        assert secret not in machines.printed
    for place in ("jobs", "handed", "kept", "home"):
        for path in (machines.work / place).rglob("*"):
            if path.is_file():
                data = path.read_bytes()
                assert PASSPHRASE.encode() not in data, path
                assert body.encode() not in data, path


def test_only_fotabuild_is_installed(runner: tuple[Runner, list[Job]]) -> None:
    machines, jobs = runner
    machines.run(jobs[0])
    installed = [c for c in machines.calls.read_text().splitlines() if " -m pip " in c]
    assert installed == ["python3 -m pip install --quiet fotabuild[report]"]


def test_a_payload_that_was_changed_between_jobs_is_found(
    runner: tuple[Runner, list[Job]],
) -> None:
    machines, (prepare, sign, _check) = runner
    machines.run(prepare)
    (patch,) = (machines.work / "handed").rglob("*.patch")
    patch.write_bytes(patch.read_bytes()[:-1] + b"!")
    with pytest.raises(AssertionError, match="FB0700"):
        machines.run(sign)


def test_the_version_comes_from_the_tag(tmp_path: Path) -> None:
    """GitHub hands it from job to job; the others take it from the tag in each."""
    values = yaml.safe_load(github.WORKFLOW.read_text())
    (step,) = (s for s in values["jobs"]["prepare"]["steps"] if s.get("id") == "version")
    machines = Runner(tmp_path, tmp_path / "machines", VARIABLES, {})
    (tmp_path / "repository").mkdir()
    machines.project = tmp_path / "repository"
    machines.run(Job("prepare", (Run(step["run"]),), False))
    assert machines.outputs() == {"version": "1.1.0"}


def test_no_shell_line_of_github_holds_an_expression() -> None:
    """Whoever names a tag or a branch must not be able to write shell."""
    for path in (github.WORKFLOW, github.ACTION):
        lines = list(github.all_runs(yaml.safe_load(path.read_text())))
        assert lines
        for line in lines:
            assert "${{" not in line


def test_unknown_jobs_are_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        ["sh", RECIPES / "update.sh", "publish"],
        env={"VERSION": "1.1.0", "NAME": "app", "PATH": "/usr/bin:/bin"},
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 2
    assert list(tmp_path.iterdir()) == []
