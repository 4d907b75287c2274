"""From the results of a folder to what a report says."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fotabuild.device.manifest_acceptance import Device
from fotabuild.device.report import AcceptanceReport
from fotabuild.digest import sha256
from fotabuild.errors import FormatError
from fotabuild.files.reading import read_file
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.patch_stream import HEADER_SIZE, PatchHeader
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.limits import READ_LIMITS
from fotabuild.report.folder import ReleaseFolder
from fotabuild.report.headroom import find_headroom
from fotabuild.report.model import (
    Change,
    Check,
    Download,
    FileEntry,
    Report,
    Schema,
    Signing,
    Update,
)
from fotabuild.report.precursors import Precursors
from fotabuild.report.suit_manifest import SuitContent
from fotabuild.report.trust import trusted_key
from fotabuild.report.verified import FolderVerification, Verified
from fotabuild.signing.cose_algorithm import KeyKind

#: A slow cellular link, bits per second.
DEFAULT_LINK_SPEED = 100_000
_SHORT_DIGEST = 12
_ALGORITHMS = {
    KeyKind.P256: "ECDSA P-256 with SHA-256",
    KeyKind.P384: "ECDSA P-384 with SHA-384",
    KeyKind.P521: "ECDSA P-521 with SHA-512",
}
_SCHEMAS = {3: Schema.V3, 1: Schema.V1}


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
    key = trusted_key(device)
    # The report of a folder speaks neither of itself nor of an older one.
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
        if not item.artifact.is_folder_report
    )
    return Report(
        title=subject.title,
        vendor_id=None if identity is None else str(identity.vendor_id),
        class_id=None if identity is None else str(identity.class_id),
        component=subject.component,
        link_speed=subject.link_speed,
        signing=Signing(
            certificate_sha256=sha256(device.certificate or b"").hex(),
            key_id=sha256(key.public_bytes).hex(),
            algorithm=_ALGORITHMS.get(key.kind, key.kind.value),
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
    versions = {version for item in found.files if (version := _version(item)) is not None}
    return f"{model or 'Firmware'} {', '.join(map(str, sorted(versions)))}".strip()


def _version(item: Verified) -> FirmwareVersion | None:
    text = item.fields.get("payload-version", "") if item.suit is None else item.suit.version
    try:
        return FirmwareVersion.parse(text)
    except FormatError:
        return None


def find_updates(
    found: FolderVerification, folder: ReleaseFolder, subject: Subject
) -> tuple[Update, ...]:
    """Return what the readable manifests bring: full updates, then patches by both releases."""
    updates = [_update(item, folder, subject) for item in found.files if item.fields]
    updates += [
        _suit_update(item, item.suit, subject) for item in found.files if item.suit is not None
    ]
    return tuple(sorted(updates, key=_order))


def _order(update: Update) -> tuple[object, ...]:
    if update.since is None:
        return (False, 0, 0, update.manifest)
    return (True, _number(update.since), _number(update.version), update.manifest)


def _number(version: str) -> int:
    try:
        return FirmwareVersion.parse(version).to_device_number()
    except FormatError:
        return 0


def _update(item: Verified, folder: ReleaseFolder, subject: Subject) -> Update:
    fields = item.fields
    payload = folder.payload(bytes.fromhex(fields["payload-digest"]), fields["payload-uri"])
    size = fields["payload-size"]
    image_size = fields.get("installed-size") or size
    is_patch = fields["payload-format"] == PayloadFormat.ARM_PATCH_STREAM.value
    verdicts = {result.name: result.verdict.value for result in item.report.results}
    seconds = 8 * (size + item.artifact.size) / subject.link_speed
    return Update(
        manifest=item.artifact.name,
        schema=_SCHEMAS[fields["manifest-version"]],
        manifest_size=item.artifact.size,
        version=str(fields.get("payload-version", fields.get("timestamp"))),
        since=_since(fields.get("precursor-digest"), subject.precursors),
        downloads=(
            Download(url=fields["payload-uri"], file=None if payload is None else payload.name),
        ),
        payload_format=fields["payload-format"],
        payload_size=size,
        image_size=image_size,
        saving=round(100 * (1 - size / image_size), 1) if is_patch and image_size else None,
        memory=_memory(folder, bytes.fromhex(fields["payload-digest"])) if is_patch else None,
        seconds=round(seconds, 1),
        signature=verdicts.get("signature", "skipped"),
        image_signed=bool(fields.get("installed-signature")),
        accepted=item.report.accepted,
    )


def _suit_update(item: Verified, content: SuitContent, subject: Subject) -> Update:
    verdicts = {result.name: result.verdict.value for result in item.report.results}
    size = sum(file.size for _, file in content.downloads if file is not None)
    return Update(
        manifest=item.artifact.name,
        schema=Schema.SUIT,
        manifest_size=item.artifact.size,
        version=content.version,
        since=None,
        downloads=tuple(
            Download(url=uri, file=None if file is None else file.name)
            for uri, file in content.downloads
        ),
        payload_format=content.payload_format,
        payload_size=size,
        image_size=content.image_size,
        saving=None,
        memory=None,
        seconds=round(8 * (size + item.artifact.size) / subject.link_speed, 1),
        signature=verdicts.get("trusted", "failed"),
        image_signed=False,
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
