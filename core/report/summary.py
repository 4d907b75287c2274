"""From the results of a folder to what a report says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fotabuild.device.manifest_acceptance import Device
from fotabuild.device.report import AcceptanceReport
from fotabuild.errors import FormatError
from fotabuild.files import read_file, sha256
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.limits import READ_LIMITS
from fotabuild.provenance.envelope import key_id
from fotabuild.report.folder import ArtifactKind, ReleaseFolder
from fotabuild.report.headroom import find_headroom
from fotabuild.report.model import Change, Check, FileEntry, Report, Signing, Update
from fotabuild.report.precursors import Precursors
from fotabuild.report.verification import FolderVerification, Verified

#: A slow cellular link, bits per second.
DEFAULT_LINK_SPEED = 100_000
_SHORT_DIGEST = 12


@dataclass(frozen=True, kw_only=True)
class Subject:
    """What a report is about, besides the results.

    Attributes:
        title: its headline.
        component: the component.
        device: the devices, with public key and certificate.
        precursors: images that devices run.
        link_speed: bits per second.
    """

    title: str
    device: Device
    precursors: Precursors
    component: str | None = None
    link_speed: int = DEFAULT_LINK_SPEED


def make_report(
    found: FolderVerification,
    folder: ReleaseFolder,
    subject: Subject,
    changes: Sequence[Change] = (),
) -> Report:
    """Return the report. It holds no date and no path outside of the folder."""
    updates = find_updates(found, folder, subject)
    identity, device = subject.device.identity, subject.device
    assert device.public_key is not None
    # A report speaks neither of itself nor of an older one.
    files = tuple(
        FileEntry(
            name=item.artifact.name,
            kind=item.artifact.description,
            size=item.artifact.size,
            sha256=item.artifact.digest.hex(),
            accepted=item.report.accepted,
            checks=_checks(item.report),
        )
        for item in found.files
        if item.artifact.kind is not ArtifactKind.REPORT
    )
    return Report(
        title=subject.title,
        vendor_id=None if identity is None else str(identity.vendor_id),
        class_id=None if identity is None else str(identity.class_id),
        component=subject.component,
        link_speed=subject.link_speed,
        signing=Signing(
            certificate_sha256=sha256(device.certificate or b"").hex(),
            key_id=key_id(device.public_key),
        ),
        updates=updates,
        headroom=find_headroom(found.files, updates, device),
        changes=tuple(changes),
        files=files,
        folder=_checks(found.whole),
        accepted=found.accepted,
    )


def default_title(model: str | None, found: FolderVerification) -> str:
    """Return the model with the versions that the folder updates to."""
    texts = {str(item.fields["payload-version"]) for item in found.files if _has_version(item)}
    versions = sorted(map(FirmwareVersion.parse, texts))
    return f"{model or 'Firmware'} {', '.join(map(str, versions))}".strip()


def _has_version(item: Verified) -> bool:
    try:
        FirmwareVersion.parse(item.fields.get("payload-version", ""))
    except FormatError:
        return False
    return True


def find_updates(
    found: FolderVerification, folder: ReleaseFolder, subject: Subject
) -> tuple[Update, ...]:
    """Return what the readable manifests bring: full updates first, then patches by release."""
    updates = (_update(item, folder, subject) for item in found.files if item.fields)
    return tuple(sorted(updates, key=_order))


def _order(update: Update) -> tuple[object, ...]:
    try:
        number = FirmwareVersion.parse(update.since or "").to_device_number()
    except FormatError:
        number = 0
    return (update.since is not None, number, update.manifest)


def _update(item: Verified, folder: ReleaseFolder, subject: Subject) -> Update:
    fields = item.fields
    payload = folder.with_digest(bytes.fromhex(fields["payload-digest"]))
    size = fields["payload-size"]
    image_size = fields.get("installed-size") or size
    is_patch = fields["payload-format"] == PayloadFormat.ARM_PATCH_STREAM.value
    verdicts = {result.name: result.verdict.value for result in item.report.results}
    seconds = 8 * (size + item.artifact.size) / subject.link_speed
    return Update(
        manifest=item.artifact.name,
        schema=fields["manifest-version"],
        manifest_size=item.artifact.size,
        version=str(fields.get("payload-version", fields.get("timestamp"))),
        since=_since(fields.get("precursor-digest"), subject.precursors),
        payload=None if payload is None else payload.name,
        payload_format=fields["payload-format"],
        payload_size=size,
        url=fields["payload-uri"],
        image_size=image_size,
        saving=round(100 * (1 - size / image_size), 1) if is_patch and image_size else None,
        memory=_memory(folder, bytes.fromhex(fields["payload-digest"])) if is_patch else None,
        seconds=round(seconds, 1),
        signature=verdicts.get("signature", "skipped"),
        image_signed=bool(fields.get("installed-signature")),
        accepted=item.report.accepted,
    )


def _since(digest: str | None, precursors: Precursors) -> str | None:
    if digest is None:
        return None
    image = precursors.find(bytes.fromhex(digest))
    if image is None or image.version is None:
        return digest[:_SHORT_DIGEST]
    return str(image.version)


def _memory(folder: ReleaseFolder, digest: bytes) -> int | None:
    patch = folder.with_digest(digest)
    if patch is None:
        return None
    try:
        data = read_file(patch.path, READ_LIMITS.package, "patch")
        return 2 * PatchHeader.decode(data[:HEADER_SIZE]).block_size
    except FormatError:
        return None


def _checks(report: AcceptanceReport) -> tuple[Check, ...]:
    return tuple(_check_of(report))


def _check_of(report: AcceptanceReport) -> Iterable[Check]:
    for result in report.results:
        yield Check(
            name=result.name,
            verdict=result.verdict.value,
            detail=result.detail,
            remedy=result.remedy,
        )
