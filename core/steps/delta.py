"""The step that makes a delta patch with its side file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from fotabuild.config.yaml_reader import read_yaml
from fotabuild.delta.encoder import engine, make_patch
from fotabuild.device.patch_acceptance import accept_patch
from fotabuild.device.profile import DeviceFeature, DeviceProfile
from fotabuild.errors import (
    DeltaError,
    FileError,
    FotabuildError,
    OutputConflictError,
    PrecursorMarkerError,
    ThresholdError,
    in_file,
)
from fotabuild.files import OutputSet, read_file, sha256
from fotabuild.formats.patch_sidecar import PatchSidecar
from fotabuild.formats.patch_stream import MAGIC, find_markers
from fotabuild.limits import READ_LIMITS
from fotabuild.steps.step import Step, StepKind, StepResult


def sidecar_of(patch: Path) -> Path:
    """Return the name of a patch's side file, by the rule of the manifest tools.

    Raises:
        FileError: the path names no file.
    """
    if not patch.name:
        raise FileError("this is not the name of a file", file=patch)
    return patch.with_suffix(".yaml")


@dataclass(frozen=True, kw_only=True)
class DeltaStep(Step):
    """Make a patch from an image in the field to the new one.

    Attributes:
        old_image: the image as installed on devices.
        new_image: the image after the update.
        block_size: frame bound in bytes.
        threshold: per cent of the new image from which on a patch is refused; None for any size.
        profile: abilities and limits of the device.
        output: the patch.
        sidecar: the YAML beside it, which manifest tools read.
    """

    kind = StepKind.DELTA
    old_image: Path
    new_image: Path
    block_size: int
    threshold: int | None
    profile: DeviceProfile
    output: Path
    sidecar: Path

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Both images."""
        return (self.old_image, self.new_image)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The patch and its side file."""
        return (self.output, self.sidecar)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Block size, threshold, libraries, and what the patch is checked against."""
        return {
            "block-size": self.block_size,
            "threshold": self.threshold,
            "engine": engine(),
            "delta-support": DeviceFeature.DELTA in self.profile.features,
            "limits": msgspec.to_builtins(
                (self.profile.limits.patch_memory, self.profile.limits.network_chunk)
            ),
            "enforced": self.profile.enforced,
        }

    def run(self) -> StepResult:
        """Match, compress, apply as a device, compare, write."""
        outputs = OutputSet(self.inputs)
        old = read_file(self.old_image, READ_LIMITS.image, "old image")
        new = read_file(self.new_image, READ_LIMITS.image, "new image")
        with in_file(self.old_image):
            _check_marker(old)
        with in_file(self.new_image):
            patch = make_patch(old, new, self.block_size)
        sidecar = PatchSidecar(sha256(new), len(new), sha256(old), sha256(patch), len(patch))
        with in_file(self.output):
            self._check_threshold(len(patch), len(new))
            accept_patch(
                patch, old, sidecar.installed_digest, sidecar.installed_size, self.profile
            ).require()
        _refuse_foreign(self.sidecar)
        outputs.add(self.output, patch)
        outputs.add(self.sidecar, sidecar.encode(), describes=True)
        outputs.commit()
        warnings = [*self.profile.warnings]
        if MAGIC not in find_markers(new):
            warnings.append(
                f"{self.new_image.name}: the new image carries no patch decoder (no marker "
                f"{MAGIC.decode()}), no delta can start from it"
            )
        if old == new:
            warnings.append(f"{self.old_image.name}: old and new image are the same")
        return StepResult(
            f"{len(patch)} bytes, {100 * len(patch) / len(new):.1f} % of the image", tuple(warnings)
        )

    def _check_threshold(self, patch_size: int, new_size: int) -> None:
        if self.threshold is not None and 100 * patch_size >= self.threshold * new_size:
            raise ThresholdError(
                f"the patch has {patch_size} bytes, {100 * patch_size / new_size:.1f} % of the new "
                f"image; {self.threshold} % is the threshold",
                remedy="send the full image to this release (delta: false in its entry), or raise "
                "delta.threshold",
            )


def _refuse_foreign(sidecar: Path) -> None:
    """Refuse to replace a file that is no side file: it may be anybody's YAML."""
    if _is_free(sidecar) or _is_free(sidecar):  # Another build may just have been replacing it.
        return
    raise OutputConflictError(
        "the side file of the patch would overwrite this file, which is something else",
        file=sidecar,
        remedy="choose another name for the patch",
    )


def _is_free(sidecar: Path) -> bool:
    try:
        if not sidecar.exists():
            return True
    except OSError:  # Writing it will tell what is wrong with the name.
        return True
    try:
        PatchSidecar.from_values(
            read_yaml(read_file(sidecar, READ_LIMITS.config, "side file")).values
        )
    except FotabuildError:
        return False
    return True


def _check_marker(old: bytes) -> None:
    if not old:
        raise DeltaError("the old image is empty", remedy="give the image as installed")
    markers = find_markers(old)
    if not markers:
        raise PrecursorMarkerError(
            f"the old image carries no patch decoder (no marker {MAGIC.decode()})",
            remedy="this release cannot apply deltas: send it the full image (delta: false in its "
            "entry)",
        )
    if markers != [MAGIC]:
        found = ", ".join(marker.decode() for marker in markers)
        raise PrecursorMarkerError(
            f"the old image carries {found}, needed is {MAGIC.decode()} alone",
            remedy="its decoder may read another format: send it the full image (delta: false in "
            "its entry)",
        )
