"""The manifests of one payload: one for each format that the project asks for."""

from __future__ import annotations

from pathlib import Path

from fotabuild.config.model import ManifestFormat
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.plan.build import Build
from fotabuild.plan.make import StepMaker
from fotabuild.steps.payload_manifest import Precursor
from fotabuild.steps.step import Step

_SUFFIXES = {
    ManifestFormat.V3: ".manifest",
    ManifestFormat.V1: ".v1.manifest",
    ManifestFormat.SUIT: ".suit",
}
#: SUIT has no registered way to say that a payload is a patch, neither in draft-09 nor now.
PATCH_FORMATS = frozenset({ManifestFormat.V3, ManifestFormat.V1})


def patch_manifests(
    formats: tuple[ManifestFormat, ...], build: Build, since: FirmwareVersion
) -> list[Path]:
    """Return the manifests that a build has for the delta from a release."""
    return [
        build.output(_SUFFIXES[each], since=since)
        for each in dict.fromkeys(formats)
        if each in PATCH_FORMATS
    ]


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

    There is none of a patch in a format that cannot describe patches. v1 manifests say the semantic
    version as its number, which devices find newer than every time stamp (manifest-v1, section 3).
    """
    precursor = None if old_image is None else Precursor(old_image, since)
    steps: list[Step] = []
    for manifest_format in dict.fromkeys(formats):
        if payload_format is PayloadFormat.ARM_PATCH_STREAM and (
            manifest_format not in PATCH_FORMATS
        ):
            continue
        output = build.output(_SUFFIXES[manifest_format], since=since)
        if manifest_format is ManifestFormat.V3:
            steps.append(
                maker.manifest(payload, payload_format, build.version, output, precursor=precursor)
            )
        elif manifest_format is ManifestFormat.SUIT:
            steps.append(maker.suit(payload, build.version, output))
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
