"""Which devices get which payload: a delta fits the devices that run its old image only."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fotabuild.publish.names import artifacts_of
from fotabuild.publish.values import Device

FULL = "full"
# A filter that names devices one by one stays short up to here.
_MOST_IDS = 50


@dataclass(frozen=True)
class Payload:
    """A payload that could be sent.

    Attributes:
        key: its name within the run: ``full``, or ``from-1.0.0`` for a delta.
        precursor: SHA-256 of the image that a delta starts from, hexadecimal; None if it fits all.
    """

    key: str
    precursor: str | None = None


@dataclass(frozen=True)
class Group:
    """Devices that get the same payload.

    Attributes:
        key: of the payload; with a number behind it from the second group for one payload on.
        devices: how many match now.
        device_ids: name them in the filter; empty for all.
        checksums: devices with these images only; empty for all.
        excluded: devices with other images than these only; empty for all.
    """

    key: str
    devices: int
    device_ids: tuple[str, ...] = ()
    checksums: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grouping:
    """Who gets what.

    Attributes:
        groups: the groups, deltas first.
        up_to_date: devices that run the new image already.
        silent: devices that are not registered: a campaign waits for them.
    """

    groups: tuple[Group, ...]
    up_to_date: int
    silent: int


def group_devices(
    devices: Iterable[Device], payloads: Sequence[Payload], new_image: str
) -> Grouping:
    """Give every device the best payload.

    Args:
        devices: those that match.
        payloads: what could be sent; without a full one, devices that no delta fits get nothing.
        new_image: SHA-256 of the image that all payloads lead to, hexadecimal.
    """
    deltas = {payload.precursor: payload.key for payload in payloads if payload.precursor}
    whole = next((payload.key for payload in payloads if payload.precursor is None), "")
    found: dict[str, list[Device]] = {payload.key: [] for payload in payloads}
    checksums: dict[str, str] = {key: checksum for checksum, key in deltas.items()}
    up_to_date = silent = 0
    for device in devices:
        checksum = (device.firmware_checksum or "").lower()
        if checksum == new_image:
            up_to_date += 1
            continue
        key = deltas.get(checksum, whole)
        if not key:
            continue
        found[key].append(device)
        silent += device.state not in (None, "registered")
    groups = []
    for payload in payloads:
        members = found[payload.key]
        if not members:
            continue
        if payload.precursor is not None:
            known = (checksums[payload.key],)
            groups.append(Group(payload.key, len(members), checksums=known))
            continue
        others = [checksums[key] for key in checksums if found[key]]
        if others or up_to_date:
            others.append(new_image)  # Devices that a delta reached may run it by then.
        groups += _whole_groups(whole, members, others)
    groups.sort(key=lambda group: artifacts_of(group.key) == whole)
    return Grouping(tuple(groups), up_to_date, silent)


def _whole_groups(key: str, members: Sequence[Device], others: Sequence[str]) -> list[Group]:
    """Return the groups for a whole payload: they must not meet devices of another campaign.

    Args:
        key: of the payload.
        members: the devices that get it.
        others: images of devices that match as well, and do not get it.
    """
    if not others:
        return [Group(key, len(members))]
    # A filter for what devices do not run hardly finds those that do not say what they run.
    named = [device.id for device in members if not device.firmware_checksum]
    known = len(members) - len(named)
    if len(members) <= _MOST_IDS:
        named, known = [device.id for device in members], 0
    excluded = tuple(sorted(other for other in others if other))
    groups = [Group(key, known, excluded=excluded)] if known else []
    for start in range(0, len(named), _MOST_IDS):
        ids = tuple(named[start : start + _MOST_IDS])
        name = f"{key}/{len(groups) + 1}" if groups else key
        groups.append(Group(name, len(ids), device_ids=ids))
    return groups
