"""Nodes and targets: the update resources, the artifacts, and the names to ask for them."""

from __future__ import annotations

import sys
from typing import Any

from SCons.Script import ARGUMENTS, COMMAND_LINE_TARGETS, Default

from fotabuild.config.loader import load_config
from fotabuild.plan.build import Build
from fotabuild.plan.plan import make_plan
from fotabuild.platformio.options import Options
from fotabuild.platformio.upload import command_of
from fotabuild.scons import generate
from fotabuild.scons.nodes import file_nodes
from fotabuild.scons.running import command_variable, with_ample_stack
from fotabuild.scons.update import declare
from fotabuild.scons.upload import ALIAS, upload_by
from fotabuild.steps.step import StepKind

#: Construction variable with the plan of this build.
PLAN_VARIABLE = "FOTABUILD_PLAN"
# Builds for the developer's desk: a test runner or an instrumented program is no release.
_PRIVATE_BUILDS = {"__debug", "__test", "sizedata"}
_UPDATE = ("update", "Update artifacts", "Make image, deltas, package and manifests")
_VERIFY = ("update-verify", "Verify update artifacts", "Check every manifest as a device would")
_UPLOAD_TEXT = "Publish the update, run its campaign and wait for the devices"
_UPLOAD = (ALIAS, "Upload update", _UPLOAD_TEXT)
# PlatformIO installs the flash tools of the platform for every target with "upload" in its name,
# which fails without a network.
_SEND = ("send-update", "Upload update, without flash tools", _UPLOAD_TEXT)


def add_resources(env: Any, options: Options) -> None:
    """Compile the update resources into the program that is going to be declared."""
    _load_tool(env)
    source = env.FotaResources(
        "$BUILD_DIR/fotabuild/update_default_resources.c",
        # Dollar signs in a path are not construction variables.
        FOTACONFIG=str(options.config).replace("$", "$$"),
        # The key is of no use here, and its path would start elsewhere.
        FOTASETTINGS={k: v for k, v in options.settings.items() if k != "credentials.key"},
    )
    env.Append(PIOBUILDFILES=[env.Object(source)])


def add_artifacts(env: Any, options: Options) -> None:
    """Declare the artifacts as part of an ordinary build, and the targets.

    The configuration is read, because it decides which artifacts there are; no key is.

    Raises:
        FotabuildError: the configuration cannot be used.
    """
    _load_tool(env)
    build = Build(
        image=options.image, version=options.version, folder=options.folder, name=options.name
    )
    config = load_config(
        options.config, build_system=options.settings, build_folder=options.project
    )
    plan = make_plan(config, build)
    for note in plan.notes:
        sys.stderr.write(f"fotabuild: note: {note}\n")
    artifacts = declare(env, plan)
    if not _PRIVATE_BUILDS.intersection(COMMAND_LINE_TARGETS):
        Default(artifacts)
        env.Alias("buildprog", artifacts)
    env[PLAN_VARIABLE] = plan
    verify = env.VerboseAction(_verify, "Verifying update artifacts")
    upload = env.VerboseAction(upload_by(command_of(env, options, build)), "Uploading update")
    _add_targets(env, artifacts, verify, file_nodes(env, plan.sources), upload)


def describe_targets(env: Any) -> None:
    """Declare the names of the targets only, for IDEs."""
    _add_targets(env, [], None, [], None)


def _verify(target: list[Any], source: list[Any], env: Any) -> None:  # noqa: ARG001 - as SCons calls it
    # Imported here: most builds do not ask for it.
    from fotabuild.platformio.verify import verify_artifacts

    with_ample_stack(lambda: verify_artifacts(env[PLAN_VARIABLE], target[0]))


def _load_tool(env: Any) -> None:
    if "FotaManifest" in env["BUILDERS"]:
        return
    if int(ARGUMENTS.get("PIOVERBOSE", 0)):
        # Without these texts SCons prints the calls themselves.
        env.SetDefault(**{f"{command_variable(kind)}STR": "" for kind in StepKind})
    generate(env)


def _add_targets(
    env: Any, artifacts: list[Any], verify: Any, sources: list[Any], upload: Any
) -> None:
    for (name, title, description), needed, action in (
        (_UPDATE, artifacts, None),
        (_VERIFY, artifacts, verify),
        (_UPLOAD, sources, upload),
        (_SEND, sources, upload),
    ):
        if name in env.get("__PIO_TARGETS", {}):
            sys.stderr.write(f"fotabuild: warning: another script has a target {name!r}\n")
            continue
        env.AddCustomTarget(
            name,
            needed,
            action,
            title=title,
            description=description,
            always_build=action is not None,
        )
