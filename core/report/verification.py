"""Check everything in a folder of artifacts, and that its parts belong together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from fotabuild.device.manifest_acceptance import Device, accept_manifest
from fotabuild.device.manifest_v1_acceptance import accept_manifest_v1
from fotabuild.device.report import AcceptanceReport, CheckResult, ReportBuilder, Verdict
from fotabuild.errors import FormatError, FotabuildError
from fotabuild.files import read_file
from fotabuild.formats.combined_package import decode_package
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.inspection import PRIVATE_KEY, read_manifest
from fotabuild.limits import READ_LIMITS
from fotabuild.provenance.envelope import unseal
from fotabuild.provenance.statement import read_subjects
from fotabuild.report.folder import Artifact, ArtifactKind, ReleaseFolder
from fotabuild.report.patches import check_patch, check_side_file
from fotabuild.report.precursors import Precursors

MANIFEST_KINDS = (ArtifactKind.MANIFEST, ArtifactKind.MANIFEST_V1)
_PAYLOAD_KINDS = (ArtifactKind.PATCH, ArtifactKind.PACKAGE)


@dataclass(frozen=True)
class Verified:
    """A file and the results of its checks.

    Attributes:
        artifact: the file.
        report: the results.
        fields: what a manifest says; empty for everything else, and when it cannot be read.
    """

    artifact: Artifact
    report: AcceptanceReport
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class FolderVerification:
    """All results of a folder.

    Attributes:
        files: by name.
        whole: checks of the folder as a whole.
    """

    files: tuple[Verified, ...]
    whole: AcceptanceReport

    @property
    def accepted(self) -> bool:
        """Whether no check failed."""
        return self.whole.accepted and all(item.report.accepted for item in self.files)

    @property
    def failures(self) -> tuple[str, ...]:
        """Where checks failed: names of files and checks."""
        places = [("", self.whole), *((item.artifact.name, item.report) for item in self.files)]
        return tuple(
            f"{name}: {result.name}" if name else result.name
            for name, report in places
            for result in report.failures
        )


class FolderVerifier:
    """Checks one folder.

    Args:
        folder: what is in it.
        device: the devices that it is for, with their public key; images come from ``precursors``.
        precursors: images that are on devices, to apply patches to.
        need_provenance: whether there has to be a statement on the origin.
    """

    def __init__(
        self,
        folder: ReleaseFolder,
        device: Device,
        precursors: Precursors,
        *,
        need_provenance: bool = False,
    ) -> None:
        self._folder = folder
        self._device = device
        self._precursors = precursors
        self._need_provenance = need_provenance
        # What manifests say, by the digest of the payload.
        self._announced: dict[bytes, Mapping[str, Any]] = {}
        self._covered: dict[str, bytes] | None = None

    def run(self) -> FolderVerification:
        """Check every file, then the folder as a whole."""
        by_name: dict[str, Verified] = {}
        # Manifests say which files are payloads, and statements which files there have to be.
        for kinds, check in self._checks():
            for artifact in self._folder.of_kind(*kinds):
                by_name[artifact.name] = check(artifact)
        files = tuple(self._covered_or_not(by_name[item.name]) for item in self._folder.artifacts)
        return FolderVerification(files, self._whole())

    def _checks(
        self,
    ) -> Iterable[tuple[tuple[ArtifactKind, ...], Callable[[Artifact], Verified]]]:
        special = (*MANIFEST_KINDS, ArtifactKind.PROVENANCE, *_PAYLOAD_KINDS)
        others = tuple(kind for kind in ArtifactKind if kind not in special)
        return (
            (MANIFEST_KINDS, self._check_manifest),
            ((ArtifactKind.PROVENANCE,), self._check_provenance),
            ((ArtifactKind.PATCH,), self._check_patch),
            ((ArtifactKind.PACKAGE,), self._check_package),
            (others, self._check_other),
        )

    def _check_manifest(self, artifact: Artifact) -> Verified:
        data = read_file(artifact.path, READ_LIMITS.manifest, "manifest")
        accept = accept_manifest
        if artifact.kind is ArtifactKind.MANIFEST_V1:
            accept = accept_manifest_v1
        try:
            fields = read_manifest(data)
        except FormatError:
            return Verified(artifact, accept(data, self._device), {})
        digest = bytes.fromhex(fields["payload-digest"])
        self._announced.setdefault(digest, fields)
        found = ReportBuilder()
        payload = self._folder.with_digest(digest)
        content = None
        if payload is not None:
            content = read_file(payload.path, READ_LIMITS.package, "payload")
            found.check("payload-file", True, payload.name)
        elif PayloadFormat(fields["payload-format"]).encrypted:
            found.skip("payload-file", "the encrypted payload is not here")
        else:
            found.check("payload-file", False, *self._missing_payload(fields))
        device = self._device_of(fields)
        report = accept(data, device, content)
        return Verified(
            artifact, AcceptanceReport((*found.build().results, *report.results)), fields
        )

    def _missing_payload(self, fields: Mapping[str, Any]) -> tuple[str, None, str]:
        name = str(fields["payload-uri"]).rpartition("/")[2]
        other = self._folder.named(name)
        detail = f"no file here has the SHA-256 {fields['payload-digest']}"
        if other is not None:
            detail += f"; {name} has {other.digest.hex()}"
        return detail, None, "put the payload here, or make the manifest again"

    def _device_of(self, fields: Mapping[str, Any]) -> Device:
        """Return the device that runs the image which a patch starts from, if that is at hand."""
        text = fields.get("precursor-digest")
        image = self._precursors.find(bytes.fromhex(text)) if text else None
        if image is None:
            return self._device
        content = read_file(image.path, READ_LIMITS.image, "precursor image")
        return replace(self._device, installed_image=content, installed_version=image.version)

    def _check_patch(self, artifact: Artifact) -> Verified:
        announced = self._announced.get(artifact.digest)
        report = check_patch(artifact, self._folder, self._precursors, announced)
        return Verified(artifact, self._with_manifest(artifact, report), {})

    def _check_package(self, artifact: Artifact) -> Verified:
        builder = ReportBuilder()
        try:
            images = decode_package(read_file(artifact.path, READ_LIMITS.package, "package"))
        except FormatError as error:
            builder.check("package-structure", False, str(error))
        else:
            builder.check("package-structure", True, f"{len(images)} images, as described")
        return Verified(artifact, self._with_manifest(artifact, builder.build()), {})

    def _with_manifest(self, artifact: Artifact, report: AcceptanceReport) -> AcceptanceReport:
        builder = ReportBuilder()
        builder.extend(report)
        builder.warn_unless(
            "announced",
            artifact.digest in self._announced,
            "by a manifest" if artifact.digest in self._announced else "by no manifest here",
            "no device installs it without one",
        )
        return builder.build()

    def _check_provenance(self, artifact: Artifact) -> Verified:
        builder = ReportBuilder()
        try:
            payload = unseal(
                read_file(artifact.path, READ_LIMITS.provenance, "statement"),
                self._device.public_key or b"",
            )
            subjects = read_subjects(payload)
        except FotabuildError as error:
            builder.check("statement", False, str(error))
            return Verified(artifact, builder.build(), {})
        builder.check("statement", True, f"signed, on {len(subjects)} files")
        if self._covered is None:
            self._covered = {}
        for name, digest in subjects.items():
            self._covered.setdefault(name, digest)
            found = self._folder.named(name)
            if found is None:
                builder.check(f"subject:{name}", False, "is not here")
            elif found.digest != digest:
                builder.check(
                    f"subject:{name}", False, f"has {found.digest.hex()}, stated is {digest.hex()}"
                )
        if builder.build().accepted:
            builder.check("subjects", True, "all are here as stated")
        return Verified(artifact, builder.build(), {})

    def _check_other(self, artifact: Artifact) -> Verified:
        if artifact.kind is ArtifactKind.SIDE_FILE:
            return Verified(artifact, check_side_file(artifact, self._folder), {})
        builder = ReportBuilder()
        if artifact.broken_promise is not None:
            builder.check(
                "content",
                False,
                f"the name says {artifact.broken_promise}, the content is something else",
                remedy="make the file again",
            )
        if artifact.description == PRIVATE_KEY:
            builder.check(
                "secret", False, "this is a private key", remedy="never publish it; remove it"
            )
        if artifact.digest in self._announced:
            builder.check("announced", True, "by a manifest")
        return Verified(artifact, builder.build(), {})

    def _covered_or_not(self, item: Verified) -> Verified:
        if self._covered is None or not item.artifact.is_covered:
            return item
        stated = self._covered.get(item.artifact.name) == item.artifact.digest
        result = CheckResult(
            "provenance",
            Verdict.PASSED if stated else Verdict.FAILED,
            "stated" if stated else "no statement here speaks of this content",
            remedy="" if stated else "remove the file, or state its origin",
        )
        return replace(item, report=AcceptanceReport((*item.report.results, result)))

    def _whole(self) -> AcceptanceReport:
        builder = ReportBuilder()
        manifests = len(self._folder.of_kind(*MANIFEST_KINDS))
        builder.check(
            "manifests", manifests > 0, f"{manifests}", remedy="give the folder of a build"
        )
        statements = len(self._folder.of_kind(ArtifactKind.PROVENANCE))
        if statements or self._need_provenance:
            builder.check(
                "statements",
                statements > 0,
                f"{statements}",
                remedy="make one with 'fotabuild provenance create'",
            )
        else:
            builder.skip("statements", "there is none on the origin of these files")
        return builder.build()
