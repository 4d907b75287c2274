"""The check before a manifest appears: a virtual device runs it and must end as described."""

from __future__ import annotations

from fotabuild.device.report import AcceptanceReport, ReportBuilder
from fotabuild.device.suit_device import Part, ProcessorReport, VirtualDevice
from fotabuild.device.suit_image import Image
from fotabuild.device.suit_processor import START, UPDATE, run_manifest
from fotabuild.errors import FormatError
from fotabuild.formats.suit.decoder import decode_envelope
from fotabuild.formats.suit.description import Component, Description
from fotabuild.formats.suit.model import ComponentId, Digest

_REMEDY = "look at 'parse', which shows every step; this may be a defect of fotabuild: report it"


def check_envelope(description: Description, data: bytes) -> AcceptanceReport:
    """Run an envelope on virtual devices and compare what they hold with the description.

    Every alternative of every component is tried, as each is for another device. Where the
    description gives a digest and no file, the digest stands for the bytes.

    Args:
        description: what the manifest was made from.
        data: the envelope, signed or not.
    """
    report = ReportBuilder()
    try:
        envelope = decode_envelope(data)
    except FormatError as error:
        report.check("envelope", False, str(error), remedy=_REMEDY)
        return report.build()
    for component in description.components:
        missing = component.uri is not None and component.uri.startswith("#")
        if missing and component.uri not in envelope.integrated:
            report.check(
                "integrated-payloads",
                False,
                f"{component.path}: {component.uri} names a payload in the envelope, where none is",
                remedy="set integrate, or give the place where devices find it",
            )
    groups = description.groups()
    for number in range(1, max(len(group) for group in groups) + 1):
        chosen = [group[(number - 1) % len(group)] for group in groups]
        device = device_for(description, chosen)
        update = run_manifest(envelope, device, (*UPDATE, *START))
        report.check(
            f"device-{number}-runs",
            update.succeeded,
            _summary(update),
            remedy=_explain(update) or _REMEDY,
        )
        if update.succeeded:
            _compare(report, number, description, chosen, device)
    for component in description.components:
        for what, _, wanted in _transforms(component):
            report.warn_unless(
                f"{what}-digest",
                False,
                f"{component.path}: {wanted.value.hex()[:16]}... is the digest after {what}, "
                "though nothing in the manifest changes the image on its way",
                "correct it, unless the device decrypts or decompresses by itself",
            )
    return report.build()


def device_for(description: Description, chosen: list[Component]) -> VirtualDevice:
    """Return a device that takes these alternatives, with all payloads within reach.

    Args:
        description: all that the manifest speaks about.
        chosen: one alternative for each ``install-id``.
    """
    first = next((c for c in chosen if c.vendor_id is not None), chosen[0])
    default = _part(first, Part())
    # The payloads of other devices are there too: taking the wrong one must show.
    payloads = {c.uri: _download(c) for c in (*description.components, *chosen) if c.uri}
    for needed in description.dependencies:
        if needed.uri is not None:
            payloads[needed.uri] = Image(needed.envelope)
    contents = {}
    for component in chosen:
        if component.uri is None:
            # Somebody else brought it there; the manifest validates, loads and starts it.
            contents[component.install_id] = _installed(component)
    for place, needed in enumerate(description.dependencies):
        if needed.uri is None:
            location = needed.install_id or (b"dependency", bytes([place]))
            contents[location] = Image(needed.envelope)
            contents[b"dependency", bytes([place])] = Image(needed.envelope)
    return VirtualDevice(
        parts={c.install_id: _part(c, default) for c in chosen},
        default=default,
        payloads=payloads,
        contents=contents,
        transforms={
            location: Image(digest=digest, size=None)
            for c in chosen
            for _, location, digest in _transforms(c)
        },
        compression_parameter=description.compression_parameter,
        runs_dependencies=False,
    )


def _part(component: Component, default: Part) -> Part:
    return Part(
        default.vendor_id if component.vendor_id is None else component.vendor_id.bytes,
        default.class_id if component.class_id is None else component.class_id.bytes,
        component.slot,
        component.offset,
    )


def _installed(component: Component) -> Image:
    if component.content is not None:
        return Image(component.content)
    unpacked = Image(digest=component.load_digest, size=component.load_size)
    return Image(None, component.install_digest, component.install_size, unpacked)


def _download(component: Component) -> Image:
    installed = _installed(component)
    if component.compression is None or component.decompress_on_load:
        if component.staged and component.download_digest != component.install_digest:
            return Image(digest=component.download_digest)
        return installed
    return Image(None, component.download_digest, None, installed)


def _transforms(component: Component) -> list[tuple[str, ComponentId, Digest]]:
    """Return where a digest changes although nothing in the manifest changes the image."""
    found = []
    unpacked = component.compression is not None and not component.decompress_on_load
    downloaded = None if unpacked else component.download_digest
    if component.staged and downloaded not in (None, component.install_digest):
        found.append(("install", component.install_id, component.install_digest))
    loaded = component.load_digest
    if component.load_id is None or loaded is None or component.decompress_on_load:
        return found
    if loaded != component.install_digest:
        found.append(("load", component.load_id, loaded))
    return found


def _compare(
    report: ReportBuilder,
    number: int,
    description: Description,
    chosen: list[Component],
    device: VirtualDevice,
) -> None:
    for component in chosen:
        image = device.contents.get(component.install_id)
        report.check(
            f"device-{number}-installed",
            image is not None and image.matches(component.install_digest, component.install_size),
            component.path,
            remedy=_REMEDY,
        )
        if component.loadable and component.load_id is not None:
            image = device.contents.get(component.load_id)
            report.check(
                f"device-{number}-loaded",
                image is not None
                and component.load_digest is not None
                and image.matches(component.load_digest, component.load_size),
                component.path,
                remedy=_REMEDY,
            )
    expected = [
        (group[0].load_id if group[0].loadable else None) or group[0].install_id
        for group in description.groups()
        if any(component.bootable for component in group)
    ]
    report.check(
        f"device-{number}-started",
        device.invoked == expected,
        f"{len(device.invoked)} components",
        remedy=_REMEDY,
    )


def _summary(run: ProcessorReport) -> str:
    return f"{len(run.steps)} commands" if run.succeeded else run.problem


def _explain(run: ProcessorReport) -> str:
    """Return what to do when the files themselves are at fault."""
    if "cannot decompress" in run.problem:
        return "give the file as it is compressed, and 'compression-info' as it was made"
    if "image-match" in run.problem or "digest" in run.problem:
        return "the digests of the description do not fit each other or the files"
    return ""
