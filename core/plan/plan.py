"""From a project and a build to the list of steps. Reads no input file and writes nothing."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fotabuild.config.loader import LoadedConfig
from fotabuild.config.model import ManifestFormat, Release
from fotabuild.errors import PlanError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.plan.build import Build
from fotabuild.plan.make import StepMaker
from fotabuild.plan.manifests import PATCH_FORMATS, manifest_steps
from fotabuild.steps.step import Step, StepKind


@dataclass(frozen=True)
class Plan:
    """All steps of a build, each after those whose outputs it reads.

    Attributes:
        steps: the steps.
        notes: what the plan leaves out, and why.
    """

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()


def make_plan(config: LoadedConfig, build: Build) -> Plan:
    """Return the steps that make every artifact of ``build``.

    Raises:
        ConfigError: a setting that a step needs is missing.
        PlanError: two steps would write the same file, or a step would overwrite an input.
    """
    maker = StepMaker(config)
    notes: list[str] = []
    if config.project.payload.file_path is not None:
        notes.append("payload.file-path is not used: the payloads of a build are its artifacts")
    image = build.output(".bin")
    steps: list[Step] = []
    if build.resources is not None:
        steps.append(maker.resources(build.resources))
    formats = config.project.formats
    steps.append(maker.image(build.image, image))
    steps += manifest_steps(maker, formats, build, image, PayloadFormat.RAW_BINARY)
    for release in sorted(
        config.project.releases, key=lambda release: FirmwareVersion.parse(release.version)
    ):
        since = FirmwareVersion.parse(release.version)
        reason = _no_delta(release, since, build, formats)
        if reason is not None:
            notes.append(f"no delta from {since}: {reason}")
            continue
        steps += _delta_steps(maker, formats, build, since, release)
    if config.project.package is not None:
        steps += _package_steps(maker, formats, build, config.project.package.component)
        if ManifestFormat.V1 in formats:
            notes.append("no v1 manifest of the package: that schema knows no packages")
        if ManifestFormat.SUIT in formats and not config.project.suit.components:
            notes.append(
                "no SUIT manifest of the package: list its images in suit.components instead"
            )
    if config.project.layout is not None:
        steps.append(maker.factory(image, build.output(".factory.bin")))
    _check_files(steps, _given_files(steps, build.image, image))
    return Plan(tuple(steps), tuple(notes))


def _no_delta(
    release: Release, since: FirmwareVersion, build: Build, formats: tuple[ManifestFormat, ...]
) -> str | None:
    """Return why a release gets no delta, or None when it gets one."""
    if since >= build.version:
        return f"it is not older than {build.version}"
    if not release.delta:
        return "switched off for this release"
    if not PATCH_FORMATS.intersection(formats):
        return "SUIT has no way to say that a payload is a patch"
    return None


def _delta_steps(
    maker: StepMaker,
    formats: tuple[ManifestFormat, ...],
    build: Build,
    since: FirmwareVersion,
    release: Release,
) -> list[Step]:
    old_image, image = Path(release.image), build.output(".bin")
    patch = build.output(".patch", since=since)
    # The new symbols are of use only beside the old ones: no needless dependency otherwise.
    elves = (Path(release.elf), build.image) if release.elf is not None else (None, None)
    manifests = manifest_steps(
        maker,
        formats,
        build,
        patch,
        PayloadFormat.ARM_PATCH_STREAM,
        since=since,
        old_image=old_image,
    )
    delta = maker.delta(old_image, image, patch, old_elf=elves[0], new_elf=elves[1])
    return [delta, *manifests]


def _package_steps(
    maker: StepMaker,
    formats: tuple[ManifestFormat, ...],
    build: Build,
    component: str | None,
) -> list[Step]:
    archive = build.output(".package.tar")
    steps: list[Step] = [maker.package(build.output(".bin"), archive)]
    if ManifestFormat.V3 in formats:
        manifest = build.output(".package.manifest")
        steps.append(
            maker.manifest(
                archive, PayloadFormat.COMBINED, build.version, manifest, component=component
            )
        )
    return steps


def _given_files(steps: list[Step], firmware: Path, image: Path) -> set[Path]:
    """Return the images that no step makes.

    Key, certificate and configuration are the matter of :class:`StepMaker`.
    """
    kinds = (StepKind.DELTA, StepKind.PACKAGE, StepKind.FACTORY, StepKind.SUIT)
    read = {path for step in steps if step.kind in kinds for path in step.inputs}
    # A release is given even where it is named like the new image: that would replace it.
    releases = {step.inputs[0] for step in steps if step.kind is StepKind.DELTA}
    return read - {image} | releases | {firmware}


def _check_files(steps: list[Step], given: set[Path]) -> None:
    """Refuse outputs that meet each other or a given file, also under another name of it."""
    made: dict[str, str] = {}
    for step in steps:
        for path in step.outputs:
            place = os.path.realpath(path)
            if place in made:
                raise PlanError(
                    f"both {made[place]} and {step.name} would write it",
                    file=path,
                    remedy="two releases may have the same version",
                )
            made[place] = step.name
    for path in sorted(given):
        place = os.path.realpath(path)
        if place in made:
            raise PlanError(
                f"{made[place]} would overwrite this input of the build",
                file=path,
                remedy="choose another name, or another folder for the artifacts",
            )
