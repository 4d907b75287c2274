"""The deltas of a build: one from each release in the field that deserves it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.config.loader import LoadedConfig
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.plan.build import Build
from fotabuild.plan.field_releases import FieldRelease, releases_in_field
from fotabuild.plan.make import StepMaker
from fotabuild.plan.manifests import PATCH_FORMATS

if TYPE_CHECKING:
    from fotabuild.steps.delta import DeltaStep


@dataclass(frozen=True)
class PlannedDelta:
    """A delta and the version that it starts from."""

    since: FirmwareVersion
    step: DeltaStep


@dataclass(frozen=True)
class PlannedDeltas:
    """All deltas of a build.

    Attributes:
        deltas: the deltas, from the oldest release on.
        notes: which releases get none, and why.
        reads: files that this depends on besides the configuration.
    """

    deltas: tuple[PlannedDelta, ...]
    notes: tuple[str, ...]
    reads: tuple[Path, ...]


def delta_steps(config: LoadedConfig, maker: StepMaker, build: Build, image: Path) -> PlannedDeltas:
    """Return the deltas to ``image``, the flat image of ``build``.

    Raises:
        PlanError: the release store has no index here.
        ReleaseError: the index of the release store cannot be used.
    """
    deltas = []
    notes = []
    field = releases_in_field(config, build.version)
    for release in field.releases:
        since = release.version
        reason = _no_delta(release, config, build)
        if reason is not None:
            notes.append(f"no delta from {since}: {reason}")
            continue
        step = maker.delta(
            release.image,
            image,
            build.output(".patch", since=since),
            old_digest=release.digest,
            old_elf=release.elf,
            # The new symbols are of use only beside the old ones: no needless dependency otherwise.
            new_elf=None if release.elf is None else build.image,
        )
        deltas.append(PlannedDelta(since, step))
    return PlannedDeltas(tuple(deltas), tuple(notes), field.reads)


def _no_delta(release: FieldRelease, config: LoadedConfig, build: Build) -> str | None:
    """Return why a release gets no delta, or None when it gets one."""
    if release.version >= build.version:
        return f"it is not older than {build.version}"
    if release.reason is None and not PATCH_FORMATS.intersection(config.project.formats):
        return "SUIT has no way to say that a payload is a patch"
    return release.reason
