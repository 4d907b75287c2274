"""How near the artifacts come to the limits of the device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fotabuild.device.manifest_acceptance import Device
from fotabuild.report.artifact import ArtifactKind
from fotabuild.report.model import Headroom, Update
from fotabuild.report.verified import Verified


def find_headroom(
    files: Sequence[Verified], updates: Sequence[Update], device: Device
) -> tuple[Headroom, ...]:
    """Return the largest value for each limit, the nearest limits first."""
    largest: dict[str, Headroom] = {}
    for found in (*_fields(files, device), *_patches(updates, device), *_certificate(device)):
        known = largest.get(found.limit)
        if known is None or found.used > known.used:
            largest[found.limit] = found
    used = (item for item in largest.values() if item.used or item.bound)
    return tuple(sorted(used, key=lambda item: (-item.share, item.limit)))


def _fields(files: Sequence[Verified], device: Device) -> Iterator[Headroom]:
    limits = device.profile.limits
    for item in files:
        fields, name = item.fields, item.artifact.name
        if not fields:
            continue
        if item.artifact.kind is ArtifactKind.MANIFEST:
            for limit, used, bound in (
                ("manifest-size", item.artifact.size, limits.manifest_size),
                (
                    "component-name-size",
                    len(fields["component-name"].encode()),
                    limits.component_name_size,
                ),
                ("version-size", len(fields["payload-version"]), limits.version_size),
                (
                    "vendor-data-size",
                    len(fields.get("vendor-data", "")) // 2,
                    limits.vendor_data_size,
                ),
            ):
                yield Headroom(limit=limit, used=used, bound=bound, where=name)
        uri = len(fields["payload-uri"].encode())
        yield Headroom(limit="uri-size", used=uri, bound=limits.uri_size, where=name)
        sizes = (fields["payload-size"], fields.get("installed-size") or 0)
        yield Headroom(limit="image-size", used=max(sizes), bound=limits.image_size, where=name)


def _patches(updates: Sequence[Update], device: Device) -> Iterator[Headroom]:
    bound = device.profile.limits.patch_memory
    for update in updates:
        if update.memory is not None:
            yield Headroom(
                limit="patch-memory", used=update.memory, bound=bound, where=update.manifest
            )


def _certificate(device: Device) -> Iterator[Headroom]:
    if device.certificate is not None:
        yield Headroom(
            limit="certificate-size",
            used=len(device.certificate),
            bound=device.profile.limits.certificate_size,
            where="the update certificate",
        )
