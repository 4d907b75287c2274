"""Check everything in a folder of artifacts, and that its parts belong together."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import replace
from typing import Any

from fotabuild.device.manifest_acceptance import Device, accept_manifest
from fotabuild.device.manifest_v1_acceptance import accept_manifest_v1
from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.errors import FormatError
from fotabuild.files.reading import read_file
from fotabuild.formats.combined_package import decode_package
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.inspection import PRIVATE_KEY, read_manifest
from fotabuild.limits import READ_LIMITS
from fotabuild.report.artifact import Artifact, ArtifactKind
from fotabuild.report.folder import ReleaseFolder
from fotabuild.report.patches import check_patch, check_side_file
from fotabuild.report.precursors import Precursors
from fotabuild.report.statements import Statements
from fotabuild.report.suit_downloads import FolderContents
from fotabuild.report.suit_manifest import SuitChecker
from fotabuild.report.trust import trusted_key
from fotabuild.report.verified import FolderVerification, Verified

_MANIFEST_KINDS = (ArtifactKind.MANIFEST, ArtifactKind.MANIFEST_V1)
_PAYLOAD_KINDS = (ArtifactKind.PATCH, ArtifactKind.PACKAGE)


class FolderVerifier:
    """Checks one folder.

    Args:
        folder: what is in it.
        device: the devices that it is for, with certificate or public key; images come from
            ``precursors``. A certificate whose key is not on P-256 verifies SUIT manifests only.
        precursors: images that are on devices, to apply patches to.
        need_provenance: whether there has to be a statement on the origin.
        several_statements: whether there may be more than one.
        ignored: names of files that are about to be made again: neither they nor what is stated of
            them are looked at.
    """

    def __init__(
        self,
        folder: ReleaseFolder,
        device: Device,
        precursors: Precursors,
        *,
        need_provenance: bool = False,
        several_statements: bool = False,
        ignored: Collection[str] = (),
    ) -> None:
        if ignored:
            kept = tuple(item for item in folder.artifacts if item.name not in ignored)
            folder = replace(folder, artifacts=kept)
        self._folder = folder
        self._device = device
        self._precursors = precursors
        self._need_provenance = need_provenance
        self._several_statements = several_statements
        self._statements = Statements(folder, device.public_key, ignored)
        # What manifests say, by the digest of the payload.
        self._announced: dict[bytes, Mapping[str, Any]] = {}
        self._suit = SuitChecker(FolderContents(folder), device, trusted_key(device))

    def run(self) -> FolderVerification:
        """Check every file, then the folder as a whole."""
        by_name: dict[str, Verified] = {}
        # Manifests say which files are payloads, and statements which files there have to be.
        for kinds, check in self._checks():
            for artifact in self._folder.of_kind(*kinds):
                by_name[artifact.name] = self._promised(check(artifact))
        files = tuple(
            self._statements.compare(by_name[item.name]) for item in self._folder.artifacts
        )
        return FolderVerification(files, self._whole())

    def _checks(
        self,
    ) -> Iterable[tuple[tuple[ArtifactKind, ...], Callable[[Artifact], Verified]]]:
        special = (
            *_MANIFEST_KINDS,
            ArtifactKind.SUIT,
            ArtifactKind.PROVENANCE,
            *_PAYLOAD_KINDS,
        )
        others = tuple(kind for kind in ArtifactKind if kind not in special)
        return (
            (_MANIFEST_KINDS, self._check_manifest),
            ((ArtifactKind.SUIT,), self._check_suit),
            ((ArtifactKind.PROVENANCE,), self._statements.check),
            ((ArtifactKind.PATCH,), self._check_patch),
            ((ArtifactKind.PACKAGE,), self._check_package),
            (others, self._check_other),
        )

    def _check_manifest(self, artifact: Artifact) -> Verified:
        data = read_file(artifact.path, READ_LIMITS.manifest, "manifest")
        accept = accept_manifest
        if artifact.kind is ArtifactKind.MANIFEST_V1:
            accept = accept_manifest_v1
        found = ReportBuilder()
        if self._device.public_key is None:
            found.check("signature", False, "the certificate has no key on P-256")
        try:
            fields = read_manifest(data)
        except FormatError:
            found.extend(accept(data, self._device))
            return Verified(artifact, found.build())
        digest = bytes.fromhex(fields["payload-digest"])
        self._announced.setdefault(digest, fields)
        payload = self._folder.payload(digest, fields["payload-uri"])
        content = None
        if payload is not None:
            content = read_file(payload.path, READ_LIMITS.package, "payload")
            found.check("payload-file", True, payload.name)
        else:
            self._report_missing(found, fields)
        found.extend(accept(data, self._device_of(fields), content))
        return Verified(artifact, found.build(), fields)

    def _report_missing(self, found: ReportBuilder, fields: Mapping[str, Any]) -> None:
        other = self._folder.at_uri(fields["payload-uri"])
        if other is None and PayloadFormat(fields["payload-format"]).encrypted:
            # The service that encrypts has it, and may hand it to devices itself.
            found.skip("payload-file", "the encrypted payload is not here")
            return
        detail = f"no file here has the SHA-256 {fields['payload-digest']}"
        if other is not None:
            detail += f"; {other.name} has {other.digest.hex()}"
        remedy = "put the payload here, or make the manifest again"
        found.check("payload-file", False, detail, remedy=remedy)

    def _device_of(self, fields: Mapping[str, Any]) -> Device:
        """Return the device that runs the image which a patch starts from, if that is at hand."""
        text = fields.get("precursor-digest")
        image = self._precursors.find(bytes.fromhex(text)) if text else None
        if image is None:
            return self._device
        content = read_file(image.path, READ_LIMITS.image, "precursor image")
        return replace(self._device, installed_image=content, installed_version=image.version)

    def _check_suit(self, artifact: Artifact) -> Verified:
        found = self._suit.check(
            read_file(artifact.path, READ_LIMITS.suit_envelope, "SUIT envelope")
        )
        for _, payload in () if found.content is None else found.content.downloads:
            if payload is not None:
                self._announced.setdefault(payload.digest, {})
        return Verified(artifact, found.report, suit=found.content)

    def _check_patch(self, artifact: Artifact) -> Verified:
        announced = self._announced.get(artifact.digest)
        images = {
            digest
            for digest, fields in self._announced.items()
            if fields.get("payload-format") == PayloadFormat.RAW_BINARY.value
        }
        report = check_patch(artifact, self._folder, self._precursors, announced, images)
        return Verified(artifact, self._with_manifest(artifact, report))

    def _check_package(self, artifact: Artifact) -> Verified:
        builder = ReportBuilder()
        try:
            images = decode_package(read_file(artifact.path, READ_LIMITS.package, "package"))
        except FormatError as error:
            builder.check("package-structure", False, str(error))
        else:
            builder.check("package-structure", True, f"{len(images)} images, as described")
        return Verified(artifact, self._with_manifest(artifact, builder.build()))

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

    def _check_other(self, artifact: Artifact) -> Verified:
        if artifact.kind is ArtifactKind.SIDE_FILE:
            return Verified(artifact, check_side_file(artifact, self._folder))
        builder = ReportBuilder()
        if artifact.description == PRIVATE_KEY:
            builder.check(
                "secret", False, "this is a private key", remedy="never publish it; remove it"
            )
        if artifact.digest in self._announced:
            builder.check("announced", True, "by a manifest")
        return Verified(artifact, builder.build())

    def _promised(self, item: Verified) -> Verified:
        """Add a failure where the name says that a file is something else."""
        promise = item.artifact.broken_promise
        if promise is None:
            return item
        builder = ReportBuilder()
        builder.check(
            "content",
            False,
            f"the name says {promise}, the content is something else",
            remedy="make the file again",
        )
        results = (*builder.build().results, *item.report.results)
        return replace(item, report=AcceptanceReport(results))

    def _whole(self) -> AcceptanceReport:
        builder = ReportBuilder()
        manifests = len(self._folder.of_kind(*_MANIFEST_KINDS, ArtifactKind.SUIT))
        builder.check(
            "manifests", manifests > 0, f"{manifests}", remedy="give the folder of a build"
        )
        if self._folder.leftovers:
            builder.warn_unless(
                "leftovers",
                False,
                ", ".join(self._folder.leftovers),
                "a build was killed while it wrote these; remove them",
            )
        self._statements.check_count(
            builder, needed=self._need_provenance, several=self._several_statements
        )
        return builder.build()
