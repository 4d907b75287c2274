"""The step that writes a page and a JSON about all artifacts of a build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from fotabuild import __version__
from fotabuild.device.profile import DeviceProfile
from fotabuild.errors import VerificationError, in_file
from fotabuild.formats.identity import Identity
from fotabuild.limits import READ_LIMITS
from fotabuild.steps.payload_manifest import Precursor
from fotabuild.steps.step import CheckFile, Step, StepKind, StepResult

if TYPE_CHECKING:
    from fotabuild.device.manifest_acceptance import Device
    from fotabuild.report.model import Change


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
        new_elf: the linked file of the new image, to say what each delta changes by section and
            symbol. A flat image in its place is fine: it has no symbols.
        old_elfs: the linked files of images in the field by version.
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
    new_elf: Path | None = None
    old_elfs: Mapping[str, Path] = field(default_factory=dict)

    @property
    def inputs(self) -> tuple[Path, ...]:
        """Artifacts, images in the field, linked files and the certificate."""
        linked = (*self.old_elfs.values(), *([] if self.new_elf is None else [self.new_elf]))
        images = (item.image for item in self.precursors)
        return (*self.artifacts, *images, *linked, self.certificate)

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
            "fotabuild": __version__,
            "title": self.title,
            "vendor-id": str(self.identity.vendor_id),
            "class-id": str(self.identity.class_id),
            "component": self.component,
            "link-speed": self.link_speed,
            "versions": [str(item.version) for item in self.precursors],
            "linked": sorted(self.old_elfs),
            "features": sorted(feature.value for feature in self.profile.features),
            "limits": msgspec.to_builtins(self.profile.limits),
            "enforced": self.profile.enforced,
            "client": self.profile.client and self.profile.client.value,
        }

    def check_inputs(self, check: CheckFile) -> None:
        """Read the certificate, look at linked files; images that are not there are no matter."""
        self.require_extra()
        self._device()
        for path in (self.new_elf, *self.old_elfs.values()):
            if path is not None:
                check(path, READ_LIMITS.image, "linked file")

    def require_extra(self) -> None:
        """Look for what makes the page.

        Raises:
            MissingExtraError: the extra ``report`` is not installed.
        """
        from fotabuild.report.page import require_extra

        require_extra()

    def run(self) -> StepResult:
        """Check, write.

        Raises:
            VerificationError: an artifact is not right, or does not fit the others.
            ElfError: a linked file is damaged, or not that of its image.
        """
        from fotabuild.report.changes import explain_updates, has_symbols
        from fotabuild.report.folder import read_files
        from fotabuild.report.precursors import InstalledImage, Precursors
        from fotabuild.report.summary import Subject, find_updates, make_report
        from fotabuild.report.verification import FolderVerifier
        from fotabuild.report.writing import write_report

        device = self._device()
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
        changes: tuple[Change, ...] = ()
        if self.new_elf is not None and has_symbols(self.new_elf):
            linked = {version: elf for version, elf in self.old_elfs.items() if has_symbols(elf)}
            updates = find_updates(found, folder, subject)
            changes = explain_updates(updates, folder, self.new_elf, linked)
        report = make_report(found, folder, subject, changes)
        write_report(report, self.output, self.inputs)
        return StepResult(f"{len(report.updates)} updates, {len(report.files)} files")

    def _device(self) -> Device:
        """Return what is known of the devices, with the key of the certificate."""
        from fotabuild.report.trust import device_with
        from fotabuild.signing.certificate import read_certificate

        certificate = read_certificate(self.certificate)
        with in_file(self.certificate):
            return device_with(certificate, self.profile, self.identity)
