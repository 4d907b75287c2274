"""What the three CI systems have in common, and how a job of theirs is run here.

A job begins in a copy of the repository, sees the variables that its system gives it and no others,
and gets from earlier jobs exactly the files that these hand over.
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
    hidden: bool = True


@dataclass(frozen=True)
class Take:
    """Get what was handed over under a name, into a folder."""

    name: str
    folder: str = "."


@dataclass(frozen=True)
class Cache:
    """A folder that the system keeps for later runs that may see it."""

    path: str
    scope: str


Action = Run | Give | Take | Cache


@dataclass(frozen=True)
class Job:
    """A job.

    Attributes:
        name: its name.
        actions: what it does, in order.
        environment: the protected environment that it belongs to, if any.
        machine: where its workspace stays as it is for the next job; empty for a clean one.
    """

    name: str
    actions: tuple[Action, ...]
    environment: str = ""
    machine: str = ""


@dataclass
class Runner:
    """The machines of a CI system, as folders.

    Attributes:
        project: the repository.
        work: where everything goes.
        printed: what all jobs printed.
    """

    project: Path
    work: Path
    printed: str = ""
    _runs: int = 0

    def __post_init__(self) -> None:
        self.programs = self.work / "bin"
        self.programs.mkdir(parents=True)
        self.calls = self.work / "calls.log"
        self.calls.touch()
        self.program("fotabuild", f'exec "{sys.executable}" -m fotabuild "$@"')
        # What is to be installed is what the tests run with; that nothing else is, is checked. As
        # pip would, it reads the list; as Python would, it runs a module that lies about.
        self.program(
            "python3",
            'case "$2" in\n'
            "pip) [ ! -e pip.py ] || cat pip.py; cat ci/requirements.txt ;;\n"
            'venv) mkdir -p "$4/bin" && : >"$4/bin/activate" ;;\n'
            "*) exit 9 ;;\n"
            "esac",
        )

    def program(self, name: str, command: str) -> None:
        """Add a program of which each call is written down."""
        text = f"#!/bin/sh\nprintf '%s\\n' \"{name} $*\" >>'{self.calls}'\n{command}\n"
        (self.programs / name).write_text(text)
        (self.programs / name).chmod(0o755)

    def run(self, job: Job, variables: Mapping[str, str]) -> Path:
        """Run a job with what its system tells it; return its workspace.

        Raises:
            AssertionError: it failed; with what it printed.
        """
        self._runs += 1
        workspace = self.work / "jobs" / (job.machine or f"{self._runs}-{job.name}")
        shutil.copytree(self.project, workspace, dirs_exist_ok=True)
        env = self._environment(job, workspace, variables)
        for action in job.actions:
            if isinstance(action, Run):
                self._shell(action, workspace, env)
            elif isinstance(action, Give):
                self._give(action, workspace)
            elif isinstance(action, Take):
                source = self.work / "handed" / action.name
                shutil.copytree(
                    source, workspace / action.folder, symlinks=True, dirs_exist_ok=True
                )
            elif self._kept(action).is_dir():
                shutil.copytree(self._kept(action), workspace / action.path)
        for action in job.actions:
            if isinstance(action, Cache) and (workspace / action.path).is_dir():
                shutil.copytree(workspace / action.path, self._kept(action), dirs_exist_ok=True)
        return workspace

    def _kept(self, cache: Cache) -> Path:
        return self.work / "kept" / cache.scope / cache.path

    def _give(self, action: Give, workspace: Path) -> None:
        place = self.work / "handed" / action.name
        shutil.rmtree(place, ignore_errors=True)
        for path in action.paths:
            source = workspace / action.root / path
            assert source.is_dir(), f"{action.name} is to hold {path}, which is not there"
            hidden = None if action.hidden else shutil.ignore_patterns(".*")
            shutil.copytree(source, place / path, symlinks=True, ignore=hidden, dirs_exist_ok=True)

    def _environment(
        self, job: Job, workspace: Path, variables: Mapping[str, str]
    ) -> dict[str, str]:
        home = self.work / "home" / (job.machine or f"{self._runs}-{job.name}")
        home.mkdir(parents=True, exist_ok=True)
        kept = {name: os.environ[name] for name in ("PYTHONPATH",) if name in os.environ}
        folders = {"@WORKSPACE@": str(workspace), "@TEMP@": str(home)}
        given = {name: folders.get(value, value) for name, value in variables.items()}
        path = f"{self.programs}{os.pathsep}/usr/bin{os.pathsep}/bin"
        return {**kept, "PATH": path, "HOME": str(home), **given}

    def _shell(self, run: Run, workspace: Path, env: dict[str, str]) -> None:
        own = {**env, **{name: Template(v).safe_substitute(env) for name, v in run.env.items()}}
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
