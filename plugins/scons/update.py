"""``env.FotaUpdate``: the whole plan of a build as nodes."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from SCons.Builder import Builder
from SCons.Errors import UserError

from fotabuild.errors import FotabuildError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.build import Build
from fotabuild.plan.plan import Plan, make_plan
from fotabuild.scons.nodes import config_node, file_nodes, path_of, read_config
from fotabuild.scons.running import STEP_VARIABLE, command_variable
from fotabuild.scons.upload import declare_upload
from fotabuild.steps.step import Step, StepKind


def fota_update(
    env: Any, image: Any, folder: Any = None, name: str = "", **variables: Any
) -> list[Any]:
    """Declare every update artifact of an image, and the alias ``upload-update``.

    The configuration is read now, because it decides which artifacts there are; no key, image or
    release is.

    Args:
        env: the construction environment.
        image: the linked firmware, ELF or flat binary.
        folder: where the artifacts go; ``update`` beside the image by default.
        name: what file names begin with; the image's stem by default.
        variables: construction variables for this call, such as ``FOTAVERSION="1.1.0"``.

    Returns:
        The nodes of all artifacts.
    """
    env = env.Override(variables) if variables else env
    node = env.arg2nodes(image, env.fs.File)[0]
    output = env.arg2nodes(folder, env.fs.Dir)[0] if folder else node.dir.Dir("update")
    config = config_node(env)
    try:
        build = Build(
            image=path_of(node),
            version=FirmwareVersion.parse(env.subst("$FOTAVERSION")),
            folder=Path(output.get_abspath()),
            name=name,
        )
        plan = make_plan(read_config(env, config), build)
    except FotabuildError as error:
        raise UserError(f"FotaUpdate: {error} [{error.code}]") from None
    for note in plan.notes:
        sys.stderr.write(f"fotabuild: note: {note}\n")
    artifacts = declare(env, plan)
    declare_upload(env, path_of(config), env["FOTASETTINGS"], build, plan)
    return artifacts


def declare(env: Any, plan: Plan) -> list[Any]:
    """Return the nodes of a plan's steps."""
    artifacts: list[Any] = []
    for step in plan.steps:
        targets = _BUILDERS[step.kind](
            env,
            target=file_nodes(env, step.outputs),
            source=file_nodes(env, step.inputs),
            **{STEP_VARIABLE: _constant(step)},
        )
        env.Precious(targets)
        if step.kind.is_manifest:
            env.NoCache(targets)
        artifacts += targets
    return artifacts


def _constant(step: Step) -> Any:
    return lambda _target, _source, _env: step


_BUILDERS = {kind: Builder(action=f"${command_variable(kind)}") for kind in StepKind}
