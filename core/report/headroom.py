"""How near the artifacts come to the limits of the device."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fotabuild.device.manifest_acceptance import Device
from fotabuild.report.artifact import ArtifactKind
from fotabuild.report.model import Headroom, Room, Update
from fotabuild.report.verified import Verified

#: The decoder of patches takes what the profile allots: with more it would take more.
_ALLOTTED = ("patch-memory",)
#: Per cent of a bound, above which little room is left.
_LITTLE = 90


def find_headroom(
    files: Sequence[Verified], updates: Sequence[Update], device: Device
) -> tuple[Headroom, ...]:
    """Return the largest value for each limit, the nearest first and those met by design last."""
    largest: dict[str, Headroom] = {}
    for found in (*_fields(files, device), *_patches(updates, device), *_certificate(device)):
        known = largest.get(found.limit)
        if known is None or found.used > known.used:
            largest[found.limit] = found
    used = (item for item in largest.values() if item.used or item.bound)
    return tuple(
        sorted(used, key=lambda item: (item.room is Room.BY_DESIGN, -item.share, item.limit))
    )


def headroom_of(limit: str, used: int, bound: int, where: str) -> Headroom:
    """Return how near a value is to a limit.

    Args:
        limit: name of the limit.
        used: the value, in the limit's unit.
        bound: the largest one that devices take.
        where: what has this value.
    """
    room = Room.ENOUGH
    if used > bound:
        room = Room.EXCEEDED
    elif limit in _ALLOTTED:
        room = Room.BY_DESIGN
    elif 100 * used > _LITTLE * bound:
        room = Room.LITTLE
    return Headroom(limit=limit, used=used, bound=bound, where=where, room=room)


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
                yield headroom_of(limit, used, bound, name)
        uri = len(fields["payload-uri"].encode())
        yield headroom_of("uri-size", uri, limits.uri_size, name)
        sizes = (fields["payload-size"], fields.get("installed-size") or 0)
        yield headroom_of("image-size", max(sizes), limits.image_size, name)


def _patches(updates: Sequence[Update], device: Device) -> Iterator[Headroom]:
    bound = device.profile.limits.patch_memory
    for update in updates:
        if update.memory is not None:
            yield headroom_of("patch-memory", update.memory, bound, update.manifest)


def _certificate(device: Device) -> Iterator[Headroom]:
    if device.certificate is not None:
        yield headroom_of(
            "certificate-size",
            len(device.certificate),
            device.profile.limits.certificate_size,
            "the update certificate",
        )
