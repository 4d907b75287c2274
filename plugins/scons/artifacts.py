"""One builder for each artifact.

The configuration is read when an artifact is about to be built, so it may be a target itself. Its
text is no dependency: a target depends on the settings that its step uses, through the action's
signature, and on the files that the configuration names, through a scanner. So a change of one
setting remakes only what that setting is part of.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from pathlib import Path
from typing import Any, TypeVar

from SCons.Builder import Builder
from SCons.Errors import UserError
from SCons.Scanner import ScannerBase

from fotabuild.config.kept_files import key_access
from fotabuild.config.loader import LoadedConfig
from fotabuild.config.model import ManifestFormat
from fotabuild.errors import FotabuildError, PlanError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.plan.make import StepMaker
from fotabuild.scons.nodes import config_node, file_nodes, path_of, read_config
from fotabuild.scons.running import STEP_VARIABLE, command_variable
from fotabuild.signing.signer import key_file, tool_file
from fotabuild.steps.image import ImageStep
from fotabuild.steps.payload_manifest import Precursor
from fotabuild.steps.step import Step, StepKind

_Choice = TypeVar("_Choice", bound=enum.Enum)
_FORMAT_OF_SUFFIX = {".patch": PayloadFormat.ARM_PATCH_STREAM, ".tar": PayloadFormat.COMBINED}


def make_builders() -> dict[str, Any]:
    """Return the builders by name."""
    return {
        "FotaResourcesFile": _builder(StepKind.RESOURCES, _resources_step, suffix=".c"),
        "FotaImage": _builder(StepKind.IMAGE, _image_step, suffix=".bin"),
        "FotaDelta": _builder(StepKind.DELTA, _delta_step, suffix=".patch"),
        "FotaPackage": _builder(StepKind.PACKAGE, _package_step, suffix=".tar"),
        "FotaManifest": _builder(StepKind.MANIFEST, _manifest_step, suffix=_manifest_suffix),
    }


def fota_resources(
    env: Any, target: Any = "update_default_resources.c", **variables: Any
) -> list[Any]:
    """Declare the update resources source; a SCons builder cannot be called without a source."""
    return list(env.FotaResourcesFile(target, [], **variables))


def _builder(kind: StepKind, factory: Any, suffix: Any) -> Any:
    return Builder(
        action=f"${command_variable(kind)}",
        emitter=_EMITTERS.get(kind, _emit),
        source_scanner=ScannerBase(_scan, name=f"fota-{kind.value}", argument=kind),
        suffix=suffix,
        **{STEP_VARIABLE: factory},
    )


def _is_suit(env: Any) -> bool:
    return bool(env.subst("$FOTAMANIFESTFORMAT") == ManifestFormat.SUIT.value)


def _manifest_suffix(env: Any, _sources: Any) -> str:
    return ".suit" if _is_suit(env) else ".manifest"


def _emit(target: list[Any], source: list[Any], env: Any) -> tuple[list[Any], list[Any]]:
    """Add the configuration as the last source, ordered before the target but not compared."""
    config = config_node(env)
    # ``env`` belongs to this one call, and the scanner will see it too.
    env["FOTACONFIG"] = config
    for node in target:
        env.Ignore(node, config)
        env.Requires(node, config)
    # Without this SCons removes the old artifact before the new one is verified.
    env.Precious(target)
    return target, [*source, config]


def _emit_delta(target: list[Any], source: list[Any], env: Any) -> tuple[list[Any], list[Any]]:
    patch = Path(target[0].get_abspath())
    return _emit([target[0], *file_nodes(env, [patch.with_suffix(".yaml")])], source, env)


def _emit_manifest(target: list[Any], source: list[Any], env: Any) -> tuple[list[Any], list[Any]]:
    if _payload_format(source[0], env) is PayloadFormat.ARM_PATCH_STREAM:
        sidecar = Path(source[0].get_abspath()).with_suffix(".yaml")
        source = [source[0], *file_nodes(env, [sidecar])]
        if env["FOTAPRECURSOR"]:
            source += env.arg2nodes(env["FOTAPRECURSOR"], env.fs.File)
    env.NoCache(target)
    return _emit(target, source, env)


def _emit_image(target: list[Any], source: list[Any], env: Any) -> tuple[list[Any], list[Any]]:
    env.Precious(target)
    return target, source


_EMITTERS = {
    StepKind.IMAGE: _emit_image,
    StepKind.DELTA: _emit_delta,
    StepKind.MANIFEST: _emit_manifest,
}


def _scan(node: Any, env: Any, _path: Any, kind: StepKind) -> list[Any]:
    """Return the files that the configuration names for this kind of artifact."""
    if node is not env["FOTACONFIG"] or not path_of(node).is_file():
        return []
    try:
        config = read_config(env, node)
    except FotabuildError:  # The action reports it.
        return []
    named = set(_named_files(config, kind))
    if kind is StepKind.MANIFEST and _is_suit(env):
        named |= {Path(component.file) for component in config.project.suit.components}
    return file_nodes(env, sorted(named))


def _named_files(config: LoadedConfig, kind: StepKind) -> Iterable[Path]:
    project = config.project
    credentials = project.credentials
    if kind in (StepKind.RESOURCES, StepKind.MANIFEST) and credentials.certificate:
        yield Path(credentials.certificate)
    if kind is StepKind.MANIFEST:
        access = key_access(credentials)
        key = key_file(credentials.key, access) if credentials.key else None
        yield from filter(None, (key, tool_file(access)))
        if project.vendor.custom_data_path:
            yield Path(project.vendor.custom_data_path)
    if kind is StepKind.PACKAGE and project.package:
        yield from (Path(image.file_name) for image in project.package.images if image.file_name)


def _maker(source: list[Any], env: Any) -> StepMaker:
    return StepMaker(read_config(env, source[-1]))


def _resources_step(target: list[Any], source: list[Any], env: Any) -> Step:
    return _maker(source, env).resources(path_of(target[0]))


def _image_step(target: list[Any], source: list[Any], _env: Any) -> Step:
    return ImageStep(source=path_of(source[0]), output=path_of(target[0]))


def _delta_step(target: list[Any], source: list[Any], env: Any) -> Step:
    if len(source) != 3:
        raise PlanError(
            f"FotaDelta takes two images, not {len(source) - 1}", remedy="give [old, new]"
        )
    return _maker(source, env).delta(path_of(source[0]), path_of(source[1]), path_of(target[0]))


def _package_step(target: list[Any], source: list[Any], env: Any) -> Step:
    built = path_of(source[0]) if len(source) > 1 else None
    return _maker(source, env).package(built, path_of(target[0]))


def _manifest_step(target: list[Any], source: list[Any], env: Any) -> Step:
    payload_format = _payload_format(source[0], env)
    precursor = None
    if env["FOTAPRECURSOR"] and payload_format is PayloadFormat.ARM_PATCH_STREAM:
        since = env.subst("$FOTAPRECURSORVERSION")
        precursor = Precursor(path_of(source[2]), FirmwareVersion.parse(since) if since else None)
    payload, output = path_of(source[0]), path_of(target[0])
    maker, version = _maker(source, env), FirmwareVersion.parse(env.subst("$FOTAVERSION"))
    manifest_format = _one_of(ManifestFormat, "FOTAMANIFESTFORMAT", env)
    component = env.subst("$FOTACOMPONENT") or None
    if manifest_format is ManifestFormat.SUIT:
        if payload_format is not PayloadFormat.RAW_BINARY:
            raise PlanError(
                f"a SUIT manifest cannot describe a payload of the format {payload_format.value}",
                file=payload,
                remedy="give the full image",
            )
        return maker.suit(payload, version, output, component=component)
    if manifest_format is ManifestFormat.V1:
        number = version.to_device_number()
        return maker.manifest_v1(
            payload, payload_format, number, output, precursor=precursor, version=version
        )
    return maker.manifest(
        payload,
        payload_format,
        version,
        output,
        component=component,
        precursor=precursor,
    )


def _payload_format(payload: Any, env: Any) -> PayloadFormat:
    if env.subst("$FOTAFORMAT"):
        return _one_of(PayloadFormat, "FOTAFORMAT", env)
    return _FORMAT_OF_SUFFIX.get(payload.get_suffix(), PayloadFormat.RAW_BINARY)


def _one_of(kind: type[_Choice], variable: str, env: Any) -> _Choice:
    """Return the value of a variable that names one of a few things."""
    name = env.subst(f"${variable}")
    try:
        return kind(name)
    except ValueError:
        known = ", ".join(str(one.value) for one in kind)
        raise UserError(f"{variable} is {name!r}; known are {known}") from None
