"""The step that writes a page and a JSON about all artifacts of a build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from fotabuild.device.profile import DeviceProfile
from fotabuild.errors import VerificationError, in_file
from fotabuild.formats.identity import Identity
from fotabuild.steps.manifest import Precursor
from fotabuild.steps.step import Step, StepKind, StepResult


@dataclass(frozen=True, kw_only=True)
class ReportStep(Step):
    """Check all artifacts of a build together, and write a report on them.

    Attributes:
        title: headline of the page.
        identity: vendor and class id.
        component: the component that the firmware is.
        profile: abilities and limits of the device.
        certificate: the update certificate.
        link_speed: bits per second of the devices' link.
        artifacts: what the other steps of the build make; deltas that are not worth it are missing.
        precursors: images in the field.
        output: the page; its JSON gets the suffix ``.json``.
    """

    kind = StepKind.REPORT
    title: str
    identity: Identity
    component: str
    profile: DeviceProfile
    certificate: Path
    link_speed: int
    artifacts: tuple[Path, ...]
    precursors: tuple[Precursor, ...]
    output: Path

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Artifacts, images in the field and the certificate."""
        return (*self.artifacts, *(item.image for item in self.precursors), self.certificate)

    @property
    def optional_inputs(self) -> tuple[Path, ...]:
        """The artifacts: a report speaks of those that are there."""
        return self.artifacts

    @property
    def outputs(self) -> tuple[Path, ...]:
        """The page and its JSON."""
        return (self.output, self.output.with_suffix(".json"))

    @property
    def parameters(self) -> Mapping[str, Any]:
        """What is printed besides the files, and what these are checked against."""
        return {
            "title": self.title,
            "vendor-id": str(self.identity.vendor_id),
            "class-id": str(self.identity.class_id),
            "component": self.component,
            "link-speed": self.link_speed,
            "versions": [str(item.version) for item in self.precursors],
            "features": sorted(feature.value for feature in self.profile.features),
            "limits": msgspec.to_builtins(self.profile.limits),
            "enforced": self.profile.enforced,
            "client": self.profile.client and self.profile.client.value,
        }

    def run(self) -> StepResult:
        """Check, write.

        Raises:
            VerificationError: an artifact is not right, or does not fit the others.
        """
        from fotabuild.device.manifest_acceptance import Device
        from fotabuild.report.folder import read_files
        from fotabuild.report.precursors import InstalledImage, Precursors
        from fotabuild.report.summary import Subject, make_report
        from fotabuild.report.verification import FolderVerifier
        from fotabuild.report.writing import write_report
        from fotabuild.signing.certificate import public_key_of, read_certificate

        certificate = read_certificate(self.certificate)
        with in_file(self.certificate):
            public_key = public_key_of(certificate)
        device = Device(
            profile=self.profile,
            public_key=public_key,
            identity=self.identity,
            certificate=certificate,
        )
        precursors = Precursors([InstalledImage(i.image, i.version) for i in self.precursors])
        here = tuple(path for path in self.artifacts if path.exists())
        folder = read_files(self.output.parent, here)
        found = FolderVerifier(folder, device, precursors).run()
        if not found.accepted:
            raise VerificationError(
                f"checks failed: {', '.join(found.failures)}",
                file=self.output.parent,
                remedy="see 'fotabuild verify'",
            )
        subject = Subject(
            title=self.title,
            device=device,
            precursors=precursors,
            component=self.component,
            link_speed=self.link_speed,
        )
        report = make_report(found, folder, subject)
        write_report(report, self.output, self.inputs)
        return StepResult(f"{len(report.updates)} updates, {len(report.files)} files")
