"""The manifests of one payload: one for each format that the project asks for."""

from __future__ import annotations

from pathlib import Path

from fotabuild.config.model import ManifestFormat
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.plan.build import Build
from fotabuild.plan.make import StepMaker
from fotabuild.steps.manifest import Precursor
from fotabuild.steps.step import Step

_SUFFIXES = {ManifestFormat.V3: ".manifest", ManifestFormat.V1: ".v1.manifest"}


def manifest_steps(
    maker: StepMaker,
    formats: tuple[ManifestFormat, ...],
    build: Build,
    payload: Path,
    payload_format: PayloadFormat,
    *,
    since: FirmwareVersion | None = None,
    old_image: Path | None = None,
) -> list[Step]:
    """Return the steps for the manifests of an image, or of a patch since a release.

    v1 manifests say the semantic version as its number, which devices find newer than every time
    stamp (manifest-v1, section 3).
    """
    precursor = None if old_image is None else Precursor(old_image, since)
    steps: list[Step] = []
    for manifest_format in dict.fromkeys(formats):
        output = build.output(_SUFFIXES[manifest_format], since=since)
        if manifest_format is ManifestFormat.V3:
            steps.append(
                maker.manifest(payload, payload_format, build.version, output, precursor=precursor)
            )
        else:
            steps.append(
                maker.manifest_v1(
                    payload,
                    payload_format,
                    build.version.to_device_number(),
                    output,
                    precursor=precursor,
                    version=build.version,
                )
            )
    return steps
