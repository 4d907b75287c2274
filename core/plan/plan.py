"""From a project and a build to the list of steps.

Reads the index of the release store, if the project has one, no other input, and writes nothing.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from fotabuild.config.loader import LoadedConfig
from fotabuild.config.model import ManifestFormat
from fotabuild.errors import PlanError
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.plan.build import Build
from fotabuild.plan.deltas import delta_steps
from fotabuild.plan.make import StepMaker
from fotabuild.plan.manifests import manifest_steps
from fotabuild.steps.step import Step, StepKind


@dataclass(frozen=True)
class Plan:
    """All steps of a build, each after those whose outputs it reads.

    Attributes:
        steps: the steps.
        notes: what the plan leaves out, and why.
        reads: files that it depends on besides the configuration: when one of them changes, the
            plan must be made again.
    """

    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    reads: tuple[Path, ...] = ()

    @property
    def sources(self) -> tuple[Path, ...]:
        """Files that steps read and none of them makes."""
        made = {path for step in self.steps for path in step.outputs}
        read = (path for step in self.steps for path in step.inputs)
        return tuple(dict.fromkeys(path for path in read if path not in made))


def make_plan(
    config: LoadedConfig, build: Build, *, signed_here: bool = True, reported_here: bool = True
) -> Plan:
    """Return the steps that make every artifact of ``build``.

    Args:
        config: the project.
        build: the build.
        signed_here: whether the manifest steps are run here; else no key is needed.
        reported_here: whether the report is made here; else its extra is not needed.

    Raises:
        MissingExtraError: the extra ``report`` is not installed, and the project wants a report.
        ConfigError: a setting that a step needs is missing.
        PlanError: two steps would write the same file, a step would overwrite an input, or the
            release store has no index here.
        ReleaseError: the index of the release store cannot be used.
    """
    maker = StepMaker(config, signed_here=signed_here)
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
    planned = delta_steps(config, maker, build, image)
    notes += planned.notes
    for delta in planned.deltas:
        steps.append(delta.step)
        steps += manifest_steps(
            maker,
            formats,
            build,
            delta.step.output,
            PayloadFormat.ARM_PATCH_STREAM,
            since=delta.since,
            old_image=delta.step.old_image,
        )
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
    if config.project.report.write:
        made = [path for s in steps if s.kind is not StepKind.RESOURCES for path in s.outputs]
        report = maker.report(build, made, planned.deltas, build.output(".report.html"))
        if reported_here:
            report.require_extra()
        steps.append(report)
    _check_files(steps, _given_files(steps, build.image, image))
    return Plan(tuple(steps), tuple(notes), planned.reads)


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
