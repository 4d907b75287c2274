"""What the three CI systems have in common, and how a job of theirs is run here.

A job begins in a clean copy of the repository, sees the variables that its system gives it and no
others, and gets from earlier jobs exactly the files that these hand over.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

ROOT = Path(__file__).parents[2]
RECIPES = ROOT / "docs" / "ci"


@dataclass(frozen=True)
class Run:
    """Lines for a shell, with variables of their own."""

    lines: str
    env: Mapping[str, str] = field(default_factory=dict)
    shell: tuple[str, ...] = ("bash", "-eo", "pipefail")


@dataclass(frozen=True)
class Give:
    """Hand files over under a name; paths are folders below ``root``."""

    name: str
    paths: tuple[str, ...]
    root: str = "."


@dataclass(frozen=True)
class Take:
    """Get what was handed over under a name, into a folder."""

    name: str
    folder: str = "."


@dataclass(frozen=True)
class Cache:
    """A folder that the system keeps from one run to the next."""

    path: str


@dataclass(frozen=True)
class Job:
    """A job: what it does in order, and whether it is given the key."""

    name: str
    actions: tuple[Run | Give | Take | Cache, ...]
    signs: bool


@dataclass
class Runner:
    """The machines of a CI system, as folders.

    Attributes:
        project: the repository.
        work: where everything goes.
        variables: what the system tells every job.
        secrets: what it tells the signing job alone.
    """

    project: Path
    work: Path
    variables: Mapping[str, str]
    secrets: Mapping[str, str]
    printed: str = ""

    def __post_init__(self) -> None:
        self.programs = self.work / "bin"
        self.programs.mkdir(parents=True)
        self.calls = self.work / "calls.log"
        self.calls.touch()
        for name, command in {
            "fotabuild": f'"{sys.executable}" -m fotabuild',
            "openssl": f'"{shutil.which("openssl")}"',
            "python3": f'"{sys.executable}"',
        }.items():
            # What is to be installed is what the tests run with; that nothing else is, is checked.
            pip = '[ "$1 $2" = "-m pip" ] && exit 0\n' if name == "python3" else ""
            text = f"#!/bin/sh\nprintf '%s\\n' \"{name} $*\" >>'{self.calls}'\n{pip}"
            (self.programs / name).write_text(f'{text}exec {command} "$@"\n')
            (self.programs / name).chmod(0o755)

    def run(self, job: Job) -> Path:
        """Run a job; return its workspace."""
        workspace = self.work / "jobs" / job.name
        shutil.copytree(self.project, workspace)
        env = self._environment(job, workspace)
        for action in job.actions:
            if isinstance(action, Run):
                self._shell(action, workspace, env)
            elif isinstance(action, Give):
                for path in action.paths:
                    source = workspace / action.root / path
                    assert source.is_dir(), f"{job.name} hands over {path}, which is not there"
                    shutil.copytree(source, self.work / "handed" / action.name / path)
            elif isinstance(action, Take):
                source = self.work / "handed" / action.name
                shutil.copytree(source, workspace / action.folder, dirs_exist_ok=True)
            else:
                kept = self.work / "kept" / action.path
                if kept.is_dir():
                    shutil.copytree(kept, workspace / action.path, dirs_exist_ok=True)
        for action in job.actions:
            if isinstance(action, Cache) and (workspace / action.path).is_dir():
                kept = self.work / "kept" / action.path
                shutil.copytree(workspace / action.path, kept, dirs_exist_ok=True)
        return workspace

    def _environment(self, job: Job, workspace: Path) -> dict[str, str]:
        home = self.work / "home" / job.name
        home.mkdir(parents=True)
        kept = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
        given = {**self.variables, **(self.secrets if job.signs else {})}
        path = f"{self.programs}{os.pathsep}/usr/bin{os.pathsep}/bin"
        workspace_names = ("GITHUB_WORKSPACE", "CI_PROJECT_DIR", "WORKSPACE")
        return {
            **kept,
            "PATH": path,
            "HOME": str(home),
            "RUNNER_TEMP": str(home),
            **dict.fromkeys(workspace_names, str(workspace)),
            **given,
        }

    def _shell(self, run: Run, workspace: Path, env: dict[str, str]) -> None:
        exports, outputs = self.work / "exports", self.work / "outputs"
        exports.write_text("")
        own = {**env, "GITHUB_ENV": str(exports), "GITHUB_OUTPUT": str(outputs)}
        # As GitLab and GitHub do, variables may be made of others.
        own |= {name: Template(value).safe_substitute(own) for name, value in run.env.items()}
        done = subprocess.run(
            [*run.shell, "-c", run.lines],
            cwd=workspace,
            env=own,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            timeout=120,
            check=False,
        )
        self.printed += done.stdout
        assert done.returncode == 0, f"{run.lines}\n{done.stdout}"
        env.update(_pairs(exports))

    def outputs(self) -> dict[str, str]:
        """Return what steps said for other jobs."""
        return _pairs(self.work / "outputs")


def _pairs(file: Path) -> dict[str, str]:
    found = (line.partition("=") for line in file.read_text().splitlines())
    return {name: value for name, _, value in found}
