"""Which devices of a service get which payload."""

from __future__ import annotations

from fotabuild.cli.output import counted
from fotabuild.cli.upload_payloads import Payloads
from fotabuild.errors import NoDeviceError, ServiceError
from fotabuild.publish.events import Note, Report
from fotabuild.publish.grouping import Group, group_devices
from fotabuild.publish.service import Service
from fotabuild.publish.values import Device


def find_groups(
    service: Service, asked: str, payloads: Payloads, report: Report, *, preflight: bool
) -> list[Group]:
    """Give every device the best payload that is worth it, and make these payloads.

    Args:
        service: knows the devices.
        asked: the filter for those that count.
        payloads: what could be sent.
        report: hears who gets what.
        preflight: ask for the devices; else nothing is known of them.

    Raises:
        NoDeviceError: there is no device for any payload.
        FotabuildError: a payload cannot be made, or the service does not answer.
    """
    devices = _list(service, asked, report) if preflight else None
    if devices is None:
        everyone = _everyone(payloads)
        payloads.provide(everyone.key)
        return [everyone]
    image = payloads.image_digest()
    planned = grouping = group_devices(devices, payloads.on_offer(), image)
    report(Note(f"{counted(len(devices), 'device')} found, {grouping.up_to_date} up to date"))
    _tell(grouping.groups, report)
    if grouping.silent:
        report(
            Note(
                f"{counted(grouping.silent, 'device')} not registered now; the campaign waits "
                "for them (--device-id names those that count)",
                True,
            )
        )
    if not grouping.groups and grouping.up_to_date < len(devices):
        raise NoDeviceError(
            "no device runs the image that the delta starts from", remedy="send the full image"
        )
    # Whether a delta is worth it shows when it is there. The devices of one that is not are
    # grouped anew, with the filters of all others.
    while not all(payloads.provide(group.key) for group in grouping.groups):
        grouping = group_devices(devices, payloads.on_offer(), image)
    if grouping is not planned:
        _tell(grouping.groups, report)
    return list(grouping.groups)


def _list(service: Service, asked: str, report: Report) -> list[Device] | None:
    """Return the devices; None where they cannot be listed."""
    try:
        devices = list(service.devices(asked))
    except ServiceError as error:
        if error.status not in (400, 403, 404, 405):
            raise
        report(Note(f"the devices cannot be listed ({error.status}): no grouping", True))
        return None
    if not devices:
        raise NoDeviceError(
            f"no device matches {asked}",
            remedy="compare vendor and class with those of the devices, or give --no-preflight to "
            "make the campaign all the same",
        )
    return devices


def _everyone(payloads: Payloads) -> Group:
    """Return the one group when nothing is known of the devices: a delta goes to its own only."""
    offer = payloads.on_offer()
    for payload in offer:
        if payload.precursor is None:
            return Group(payload.key, 0)
    return Group(offer[0].key, 0, checksums=(offer[0].precursor or "",))


def _tell(groups: tuple[Group, ...], report: Report) -> None:
    for group in groups:
        report(Note(f"{group.key}: {counted(group.devices, 'device')}"))
