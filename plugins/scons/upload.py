"""``upload-update``: run ``fotabuild upload`` when the firmware is built.

That makes the artifacts itself: of deltas those that devices need and that turn out to be worth it,
which nobody knows when targets are declared. What is there as it would be made keeps its date.

It runs as a child process. The terminal sends Ctrl-C to it as well as to SCons, which waits until
the child has stopped its campaign and cleaned up; a call inside SCons would not hear of it. A
SIGTERM to SCons is passed on.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from SCons.Action import Action
from SCons.Errors import BuildError

from fotabuild.plan.build import Build
from fotabuild.plan.plan import Plan
from fotabuild.scons import upload_signals
from fotabuild.scons.nodes import file_nodes

ALIAS = "upload-update"


def upload_command(
    config: Path, settings: Mapping[str, Any], build: Build, options: Sequence[str] = ()
) -> list[str]:
    """Return the command that uploads a build; no secret is in it.

    Args:
        config: the project configuration.
        settings: settings of the build system, by dotted name.
        build: what was built.
        options: further options of ``fotabuild upload``.
    """
    command = [sys.executable, "-m", "fotabuild", "upload", str(build.image)]
    command += ["--fw-version", str(build.version), "--output-dir", str(build.folder)]
    if build.name:
        command += ["--name", build.name]
    command += ["--config", str(config)]
    for name, value in sorted(settings.items()):
        command += ["--build-setting", f"{name}={_text(value)}"]
    return [*command, *options]


def _text(value: Any) -> str:
    """Return a setting as the command line reads it."""
    if isinstance(value, (list, tuple)):
        return ",".join(map(_text, value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def upload_by(command: Sequence[str]) -> Callable[..., None]:
    """Return the action that runs the command and waits for its end, whatever signals come.

    Its environment is the user's, not the bare one of SCons: the access key is named in it.
    """
    upload_signals.listen()

    def upload(target: list[Any], source: list[Any], env: Any) -> None:  # noqa: ARG001 - as SCons calls it
        sys.stdout.flush()
        # A folder of the project may be named like a package of ours.
        environment = {**os.environ, "PYTHONSAFEPATH": "1"}
        upload_signals.forget()
        try:
            child = subprocess.Popen(command, env=environment)  # noqa: S603 - our own program
        except OSError as error:
            raise BuildError(node=target[0], errstr=f"cannot start: {error.strerror}") from None
        if status := upload_signals.wait_for(child):
            problem = f"fotabuild upload ended with status {status}"
            raise BuildError(node=target[0], status=status, errstr=problem)

    return upload


def declare_upload(
    env: Any, config: Path, settings: Mapping[str, Any], build: Build, plan: Plan
) -> Any:
    """Add a build to the alias ``upload-update``, which is no default target."""
    options = env["FOTAUPLOADFLAGS"]
    words = shlex.split(options) if isinstance(options, str) else [str(one) for one in options]
    action = upload_by(upload_command(config, settings, build, words))
    alias = env.Alias(
        ALIAS, file_nodes(env, plan.sources), Action(action, cmdstr=env["FOTAUPLOADCOMSTR"])
    )
    return env.AlwaysBuild(alias)
