"""Which phase of the build this is, and what is to be done in it.

PlatformIO runs ``pre:`` scripts, then the platform's builder, in which the program is declared,
then ``post:`` scripts. Sources can be added before the program is declared, and artifacts hang on
it afterwards. Nothing is read from disk while an IDE only asks for a description.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from SCons.Node.Alias import default_ans
from SCons.Script import COMMAND_LINE_TARGETS, call_stack

from fotabuild.errors import ConfigError, FotabuildError
from fotabuild.platformio import declare
from fotabuild.platformio.cmake import cmake_makes_updates
from fotabuild.platformio.options import PREFIX, Options, option_of, read_options

_DONE = "FOTABUILD_DONE"
_RESOURCES, _ARTIFACTS = "resources", "artifacts"
# Targets after which nothing is built.
_DESCRIPTIONS = {"compiledb", "envdump"}


def attach(env: Any) -> None:
    """Do the work of the phase in which this is called; a repeated call does nothing."""
    if not _concerns(env):
        return
    if _program_is_declared(env):
        _guarded(env, _after_program)
    elif not env.IsIntegrationDump():
        _guarded(env, _before_program)


def attach_as_library(env: Any) -> None:
    """Do the work of both phases."""
    if not _concerns(env):
        return
    if not env.IsIntegrationDump():
        _guarded(env, _add_resources)
    _guarded(env, _after_program)


def _concerns(env: Any) -> bool:
    """Whether this environment wants updates; cleaning must work with wrong options too."""
    return bool(_given(env)) and not env.IsCleanTarget()


def _given(env: Any) -> dict[str, str]:
    names = env.GetProjectConfig().options(env=env["PIOENV"])
    return {name: env.GetProjectOption(name) for name in names if name.startswith(PREFIX)}


def _program_is_declared(env: Any) -> bool:
    """Whether the builder script was read: without building it declares no program, but a name."""
    return bool(env.get("PIOMAINPROG")) or (
        "nobuild" in COMMAND_LINE_TARGETS and default_ans.lookup("nobuild") is not None
    )


def _guarded(env: Any, work: Callable[[Any, Options | None], None]) -> None:
    """Call ``work`` and report errors as PlatformIO's own builders do."""
    options = None
    try:
        if not env.IsIntegrationDump():
            options = _options(env)
        work(env, options)
    except FotabuildError as error:
        if options is not None and error.field is not None and error.field in options.settings:
            option = f"it is set by {option_of(error.field)}"
            error.remedy = f"{option}; {error.remedy}" if error.remedy else option
        sys.stderr.write(f"Error: fotabuild: {error} [{error.code}]\n")
        env.Exit(1)


def _options(env: Any) -> Options:
    try:
        return read_options(_given(env), Path(env.subst("$PROJECT_DIR")), env.subst)
    except ConfigError as error:
        error.file = f"platformio.ini [env:{env['PIOENV']}]"
        raise


def _before_program(env: Any, options: Options | None) -> None:
    script = _this_script()
    if os.path.realpath(script) not in map(os.path.realpath, env.GetExtraScripts("post")):
        raise _listed_once(script)
    _add_resources(env, options)


def _add_resources(env: Any, options: Options | None) -> None:
    if options is None or not _first_time(env, _RESOURCES):
        return
    if options.resources and not cmake_makes_updates(env):
        declare.add_resources(env, options)


def _after_program(env: Any, options: Options | None) -> None:
    if not _first_time(env, _ARTIFACTS):
        return
    if options is None or _DESCRIPTIONS.issuperset(COMMAND_LINE_TARGETS or ["all"]):
        declare.describe_targets(env)
    elif cmake_makes_updates(env):
        sys.stdout.write("fotabuild: CMake makes the update artifacts of this environment\n")
    else:
        building = "nobuild" not in COMMAND_LINE_TARGETS
        if options.resources and building and _first_time(env, _RESOURCES):
            raise _listed_once(_this_script())
        declare.add_artifacts(env, options)


def _this_script() -> Path:
    return Path(call_stack[-1].sconscript.get_abspath())


def _listed_once(script: Path) -> ConfigError:
    name = script.name
    return ConfigError(
        f"{script.name} is listed for one phase only",
        field="extra_scripts",
        remedy=f"write: extra_scripts = pre:{name}, post:{name}",
    )


def _first_time(env: Any, work: str) -> bool:
    done = env.get(_DONE, ())
    env[_DONE] = (*done, work)
    return work not in done
