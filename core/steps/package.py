"""The step that makes a combined package."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from fotabuild.device.profile import DeviceFeature, DeviceProfile
from fotabuild.errors import in_file
from fotabuild.files.reading import read_file
from fotabuild.files.writing import write_file
from fotabuild.limits import READ_LIMITS
from fotabuild.steps.step import CheckFile, Step, StepKind, StepResult


@dataclass(frozen=True)
class PackageEntry:
    """One image to pack: the sub-component it is for, its vendor data, its file."""

    name: str
    vendor_data: bytes
    image: Path


@dataclass(frozen=True, kw_only=True)
class PackageStep(Step):
    """Pack several images with their descriptor.

    Attributes:
        entries: the images, in archive order.
        profile: abilities and limits of the device.
        output: the package.
    """

    kind = StepKind.PACKAGE
    entries: tuple[PackageEntry, ...]
    profile: DeviceProfile
    output: Path

    @property
    def inputs(self) -> tuple[Path, ...]:
        """The images."""
        return tuple(entry.image for entry in self.entries)

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The package."""
        return (self.output,)

    @property
    def parameters(self) -> Mapping[str, Any]:
        """Names, vendor data and what the package is checked against."""
        limits = self.profile.limits
        return {
            "images": [(entry.name, entry.vendor_data.hex()) for entry in self.entries],
            "enforced": self.profile.enforced,
            "package-support": DeviceFeature.COMBINED in self.profile.features,
            "limits": msgspec.to_builtins(
                (
                    limits.sub_components,
                    limits.sub_component_name_size,
                    limits.sub_component_vendor_data_size,
                    limits.image_size,
                )
            ),
        }

    def encode(self) -> bytes:
        """Read the images and return the package of them.

        Raises:
            FotabuildError: an image cannot be read, or a name or vendor data is wrong.
        """
        # Imported here: build systems describe steps much more often than they run them.
        from fotabuild.formats.combined_package import PackageImage, check_images, encode_package

        with in_file(self.output):
            check_images([(entry.name, entry.vendor_data) for entry in self.entries])
        return encode_package(
            [
                PackageImage(
                    entry.name,
                    entry.vendor_data,
                    read_file(entry.image, READ_LIMITS.image, "packaged image"),
                )
                for entry in self.entries
            ]
        )

    def check_inputs(self, check: CheckFile) -> None:
        """Look at the images."""
        for entry in self.entries:
            check(entry.image, READ_LIMITS.image, "packaged image")

    def run(self) -> StepResult:
        """Read the images, pack them, read the package back as a device."""
        from fotabuild.device.package_acceptance import accept_package

        package = self.encode()
        with in_file(self.output):
            accept_package(package, self.profile).require()
        write_file(self.output, package, inputs=self.inputs)
        return StepResult(
            f"{len(package)} bytes, {len(self.entries)} images", self.profile.warnings
        )
