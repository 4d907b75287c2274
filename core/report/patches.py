"""Check a patch and its side file without the help of a manifest."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import PurePosixPath
from typing import Any

from fotabuild.config.yaml_reader import read_yaml
from fotabuild.delta.decoder import apply_patch
from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.digest import sha256
from fotabuild.errors import FormatError, FotabuildError
from fotabuild.files.reading import read_file
from fotabuild.formats.patch_sidecar import PatchSidecar
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader
from fotabuild.limits import READ_LIMITS
from fotabuild.report.artifact import Artifact, ArtifactKind
from fotabuild.report.folder import ReleaseFolder
from fotabuild.report.precursors import Precursors


def check_patch(
    artifact: Artifact,
    folder: ReleaseFolder,
    precursors: Precursors,
    announced: Mapping[str, Any] | None,
    images: Collection[bytes] = (),
) -> AcceptanceReport:
    """Compare a patch with its side file, and apply it where its precursor is at hand.

    Args:
        artifact: the patch.
        folder: where it is.
        precursors: images that devices run.
        announced: what a manifest v3 or v1 says of it, if there is one.
        images: SHA-256 of the full images of the release, by their manifests.
    """
    report = ReportBuilder()
    patch = read_file(artifact.path, READ_LIMITS.patch, "patch")
    try:
        header = PatchHeader.decode(patch[:HEADER_SIZE])
    except FormatError as error:
        report.check("patch-header", False, str(error))
        return report.build()
    report.check("patch-header", True, f"makes {header.new_size} bytes")
    beside = folder.named(str(PurePosixPath(artifact.name).with_suffix(".yaml")))
    report.warn_unless(
        "side-file",
        beside is not None,
        "none here" if beside is None else beside.name,
        "manifest tools need it; devices do not",
    )
    side_file = None
    if beside is not None:
        try:
            side_file = read_side_file(beside)
        except FormatError as error:
            report.check("side-file-content", False, str(error))
    if side_file is None:
        return report.build()
    same = side_file.patch_digest in (None, artifact.digest)
    same = same and side_file.patch_size in (None, artifact.size)
    same = same and side_file.installed_size == header.new_size
    if announced:
        same = same and announced.get("precursor-digest") == side_file.precursor_digest.hex()
        same = same and announced.get("installed-digest") == side_file.installed_digest.hex()
    report.check(
        "side-file-content",
        same,
        "describes this patch" if same else "does not describe this patch, or its manifest",
        remedy="make the patch again",
    )
    if images:
        # A device must not depend on its way to a release for what it runs then.
        same = side_file.installed_digest in images
        report.check(
            "release-image",
            same,
            "makes an image of this release" if same else "makes none of the images here",
            remedy="make the patch again, to the image of this release",
        )
    _check_result(report, patch, side_file, precursors)
    return report.build()


def check_side_file(artifact: Artifact, folder: ReleaseFolder) -> AcceptanceReport:
    """Look for the patch of a side file; the two are compared at the patch."""
    report = ReportBuilder()
    name = str(PurePosixPath(artifact.name).with_suffix(".patch"))
    patch = folder.named(name)
    found = patch is not None and patch.kind is ArtifactKind.PATCH
    report.check("patch", found, name if found else f"there is no patch {name}")
    return report.build()


def read_side_file(artifact: Artifact) -> PatchSidecar:
    """Read a side file.

    Raises:
        FormatError: malformed.
    """
    try:
        values = read_yaml(read_file(artifact.path, READ_LIMITS.config, "side file")).values
        return PatchSidecar.from_values(values)
    except FormatError:
        raise
    except FotabuildError as error:
        raise FormatError(str(error)) from None


def _check_result(
    report: ReportBuilder, patch: bytes, side_file: PatchSidecar, precursors: Precursors
) -> None:
    digest = side_file.precursor_digest
    image = precursors.find(digest)
    if image is None:
        report.skip("patched-image", f"the image {digest.hex()} is not at hand")
        return
    try:
        new = apply_patch(read_file(image.path, READ_LIMITS.image, "precursor image"), patch)
    except FotabuildError as error:
        report.check("patched-image", False, str(error))
        return
    report.check(
        "patched-image",
        sha256(new) == side_file.installed_digest,
        f"{sha256(new).hex()}, the side file has {side_file.installed_digest.hex()}",
    )
