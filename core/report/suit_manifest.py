"""Check a SUIT manifest with the files beside it: virtual devices download, install and start."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fotabuild.device.manifest_acceptance import Device
from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.device.suit_acceptance import accept_envelope
from fotabuild.device.suit_device import Part, ProcessorReport, VirtualDevice
from fotabuild.device.suit_image import Image
from fotabuild.device.suit_parameters import parameters_together
from fotabuild.device.suit_processor import START, UPDATE, run_manifest
from fotabuild.errors import FormatError
from fotabuild.formats.suit import model
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.digests import removed_elements
from fotabuild.formats.suit.names import Parameter, Profile
from fotabuild.report.artifact import Artifact
from fotabuild.report.suit_downloads import Download, Downloads, FolderContents, size_of
from fotabuild.report.suit_facts import SuitFacts, find_facts, version_text
from fotabuild.signing.cose_verify import VerificationKey

_REMEDY = "put the payload here, or make the manifest again"


@dataclass(frozen=True)
class SuitContent:
    """What a SUIT manifest brings.

    Attributes:
        version: of the first component, or the sequence number where no text says it.
        payload_format: ``raw-binary``, or what devices do with the payloads.
        downloads: the payloads by URI, with their files where these are here.
        image_size: bytes in the components of the device in the end.
    """

    version: str
    payload_format: str
    downloads: tuple[tuple[str, Artifact | None], ...]
    image_size: int


@dataclass(frozen=True)
class SuitResult:
    """The results for one envelope, and what it brings; None when it cannot be read."""

    report: AcceptanceReport
    content: SuitContent | None


class SuitChecker:
    """Checks the SUIT manifests of a folder.

    Args:
        contents: the folder.
        device: the devices.
        key: the key of their certificate.
    """

    def __init__(self, contents: FolderContents, device: Device, key: VerificationKey) -> None:
        self._contents = contents
        self._device = device
        self._key = key

    def check(self, data: bytes) -> SuitResult:
        """Check digests and signatures; then run the manifest with the files of the folder.

        A signature of another key is no failure beside one of the device's.
        """
        accepted = accept_envelope(data, [self._key], require_all=False)
        try:
            envelope = decode_envelope(data)
        except FormatError:
            return SuitResult(accepted, None)
        facts = find_facts(envelope)
        builder = ReportBuilder()
        builder.extend(accepted)
        places: dict[str, Download] = {}
        size = 0
        needed = self._needed(envelope, facts) if accepted.accepted else {}
        gone = [each.value for each in removed_elements(envelope) if each.is_sequence]
        if not accepted.accepted:
            # Nobody of any trust wrote the commands.
            builder.skip("runs", "the envelope is not accepted")
        elif gone:
            builder.skip("runs", f"of {', '.join(gone)} only the digest is here")
        elif None in needed.values():
            builder.skip("runs", "a manifest that has to be on the device already is not here")
        else:
            installed = {place: Image(data) for place, data in needed.items()}
            for number in range(facts.alternatives):
                size = self._run(builder, envelope, facts, number, places, installed) or size
            for uri in _uris(envelope, facts):
                if not places[uri].asked:
                    builder.skip("payload-file", f"{uri}: no virtual device came to fetch it")
        downloads = tuple((uri, _found(places.get(uri))) for uri in _uris(envelope, facts))
        content = SuitContent(
            version_text(envelope) or str(envelope.manifest.sequence_number),
            _format(envelope, facts),
            downloads,
            size,
        )
        return SuitResult(builder.build(), content)

    def _run(
        self,
        builder: ReportBuilder,
        envelope: model.Envelope,
        facts: SuitFacts,
        number: int,
        places: dict[str, Download],
        installed: Mapping[model.ComponentId, Image],
    ) -> int:
        """Run the manifest on one of the devices that it is for; return what that installs."""
        downloads = Downloads(_uris(envelope, facts), self._contents)
        device = self._virtual(envelope, facts, number, downloads)
        device.contents.update(installed)
        update = run_manifest(envelope, device, (*UPDATE, *START))
        missing = False
        changes = _changes(envelope)
        changed = any(place.changed for place in downloads.by_uri.values())
        opaque = {name for names in changes.values() for name in names}
        for uri, place in downloads.by_uri.items():
            known = places.setdefault(uri, place)
            if known is not place and known.asked:
                continue
            places[uri] = place
            if place.artifact is not None:
                builder.check("payload-file", True, place.artifact.name)
            elif place.asked and changes.get(uri):
                names = ", ".join(sorted(changes[uri]))
                builder.skip("payload-file", f"{uri}: no digest may be of it, for {names}")
            elif place.asked and (place.wanted is not None or not update.succeeded):
                missing = True
                builder.check("payload-file", False, self._missing(place), remedy=_REMEDY)
            elif place.asked:
                builder.check(
                    "payload-file", False, f"{uri}: the manifest has no digest of what is there"
                )
        name = "runs" if facts.alternatives == 1 else f"runs-{number + 1}"
        if not update.succeeded and missing:
            builder.skip(name, "not without its payloads")
        elif not update.succeeded and (opaque or changed):
            names = ", ".join(sorted(opaque)) or "the device itself"
            builder.skip(name, f"{names} may change the image on its way")
        else:
            builder.check(name, update.succeeded, _summary(update), remedy=_REMEDY)
        return _installed(device) if update.succeeded else 0

    def _virtual(
        self, envelope: model.Envelope, facts: SuitFacts, number: int, downloads: Downloads
    ) -> VirtualDevice:
        components = envelope.manifest.components
        parts = {
            location: self._part(facts, index, number) for index, location in enumerate(components)
        }
        contents = {}
        for index, location in enumerate(components):
            digest = _choose(facts, index, Parameter.IMAGE_DIGEST, number)
            size = _choose(facts, index, Parameter.IMAGE_SIZE, number)
            if index not in facts.written and isinstance(digest, model.Digest):
                # Somebody else brought it there; the manifest validates, loads and starts it.
                known = size if isinstance(size, int) else None
                contents[location] = Image(digest=digest, size=known)
        wanted = facts.all_of(Parameter.DEVICE_ID)
        return VirtualDevice(
            parts=parts,
            default=self._part(facts, 0, number),
            device_id=next((each for each in wanted if isinstance(each, bytes)), None),
            payloads=downloads,
            contents=contents,
            runs_dependencies=False,
        )

    def _needed(
        self, envelope: model.Envelope, facts: SuitFacts
    ) -> dict[model.ComponentId, bytes | None]:
        """Return the manifests that are on the device before; None for those that are not here."""
        manifest = envelope.manifest
        found: dict[model.ComponentId, bytes | None] = {}
        for needed in manifest.dependencies:
            index, digest = needed.index, needed.digest
            location = dict(enumerate(manifest.components)).get(index, needed.prefix or ())
            if envelope.profile is Profile.DRAFT_09:
                # As the processor calls them.
                index, location = -1 - index, (b"dependency", bytes([index & 0xFF]))
            else:
                stated = _choose(facts, index, Parameter.IMAGE_DIGEST, 0)
                digest = stated if isinstance(stated, model.Digest) else None
            if index not in facts.written:
                found[location] = None if digest is None else self._contents.manifest(digest)
        return found

    def _part(self, facts: SuitFacts, index: int, number: int) -> Part:
        """Return a component of the given identity; without one, whatever the manifest is for."""
        identity = self._device.identity
        vendor = _choose(facts, index, Parameter.VENDOR_ID, number)
        class_id = _choose(facts, index, Parameter.CLASS_ID, number)
        if identity is not None:
            vendor, class_id = identity.vendor_id.bytes, identity.class_id.bytes
        slot = _choose(facts, index, Parameter.COMPONENT_SLOT, number)
        offset = _choose(facts, index, Parameter.COMPONENT_OFFSET, number)
        return Part(
            vendor if isinstance(vendor, bytes) else None,
            class_id if isinstance(class_id, bytes) else None,
            slot if isinstance(slot, int) else None,
            offset if isinstance(offset, int) else None,
        )

    def _missing(self, place: Download) -> str:
        named = self._contents.folder.at_uri(place.uri)
        if place.wanted is None:
            return f"{place.uri}: no file here has this name"
        algorithm, value = place.wanted.algorithm, place.wanted.value
        detail = f"no file here has the {algorithm.value} {value.hex()}"
        if named is not None:
            detail += f"; {named.name} has another"
        return detail


def _uris(envelope: model.Envelope, facts: SuitFacts) -> list[str]:
    uris = (uri for uri in facts.all_of(Parameter.URI) if isinstance(uri, str))
    return [uri for uri in uris if uri not in envelope.integrated]


def _choose(
    facts: SuitFacts, index: int, label: Parameter, number: int
) -> model.ParameterValue | None:
    values = facts.of(index, label)
    return values[number % len(values)] if values else None


def _found(place: Download | None) -> Artifact | None:
    return None if place is None else place.artifact


def _changes(envelope: model.Envelope) -> dict[str, set[str]]:
    """Return what may change a payload on its way, by URI; without one under the empty name."""
    found: dict[str, set[str]] = {}
    for each in parameters_together(envelope.whole_manifest()):
        for uri in each.uris or {""}:
            found.setdefault(uri, set()).update(each.changes)
    return found


def _format(envelope: model.Envelope, facts: SuitFacts) -> str:
    words = [
        *(["encrypted"] if facts.all_of(Parameter.ENCRYPTION_INFO) else []),
        *(["compressed"] if facts.all_of(Parameter.COMPRESSION_INFO) else []),
        *(["in the manifest"] if envelope.integrated else []),
    ]
    return ", ".join(words) or "raw-binary"


def _summary(run: ProcessorReport) -> str:
    return f"{len(run.steps)} commands" if run.succeeded else run.problem


def _installed(device: VirtualDevice) -> int:
    """Return the bytes in all components; an image that lies in several counts once."""
    images = {id(image): image for image in device.contents.values()}
    return sum(size_of(image) for image in images.values())
