"""Which devices get which payload, and the filters that say so."""

from __future__ import annotations

import uuid

import pytest

from fotabuild.errors import UsageError
from fotabuild.formats.identity import Identity
from fotabuild.publish.grouping import FULL, Group, Payload, group_devices
from fotabuild.publish.names import artifacts_of, device_filter, unique_name
from fotabuild.publish.values import Device

NEW, OLD1, OLD2, OTHER = ("0" * 64, "1" * 64, "2" * 64, "f" * 64)
ALL = [Payload("from-1.0.0", OLD1), Payload("from-1.1.0", OLD2), Payload(FULL)]
IDENTITY = Identity(uuid.UUID(int=1), uuid.UUID(int=2))
BASE = "device_class__eq=" + "0" * 31 + "2&vendor_id__eq=" + "0" * 31 + "1"


def fleet(*checksums: str | None, state: str = "registered") -> list[Device]:
    return [
        Device(id=f"{n:032x}", state=state, firmware_checksum=c) for n, c in enumerate(checksums)
    ]


def test_each_gets_its_delta_and_the_others_the_full_image() -> None:
    devices = fleet(OLD1, OLD2.upper(), NEW, OTHER, None, OLD1)
    grouping = group_devices(devices, ALL, NEW)
    assert grouping.groups == (
        Group("from-1.0.0", 2, checksums=(OLD1,)),
        Group("from-1.1.0", 1, checksums=(OLD2,)),
        Group(FULL, 2, device_ids=(devices[3].id, devices[4].id)),
    )
    assert (grouping.up_to_date, grouping.silent) == (1, 0)


def test_all_alike_need_no_names() -> None:
    assert group_devices(fleet(OTHER, None), ALL, NEW).groups == (Group(FULL, 2),)
    assert group_devices(fleet(*[OTHER] * 99), [Payload(FULL)], NEW).groups == (Group(FULL, 99),)


def test_many_others_are_those_that_run_nothing_known() -> None:
    devices = fleet(OLD1, *[OTHER, "e" * 64] * 30)
    assert group_devices(devices, ALL, NEW).groups[-1] == Group(FULL, 60, excluded=(NEW, OLD1))
    assert group_devices(devices[1:], ALL, NEW).groups == (Group(FULL, 60),)


def test_many_that_do_not_say_what_they_run_are_named_in_several_campaigns() -> None:
    """Whether a service finds them by what they do not run is not documented."""
    devices = fleet(OLD1, *[None] * 120, OTHER)
    _, *groups = group_devices(devices, ALL, NEW).groups
    assert [(g.key, g.devices, len(g.device_ids), g.excluded) for g in groups] == [
        ("full", 1, 0, (NEW, OLD1)),
        ("full/2", 50, 50, ()),
        ("full/3", 50, 50, ()),
        ("full/4", 20, 20, ()),
    ]
    assert {artifacts_of(group.key) for group in groups} == {FULL}


@pytest.mark.parametrize("kind", ["same", "different", "unknown", "mixed"])
def test_filters_of_large_fleets_stay_short(kind: str) -> None:
    different = [f"{n:064x}" for n in range(10, 3010)]
    others: dict[str, list[str | None]] = {
        "same": [OTHER] * 3000,
        "different": [*different],
        "unknown": [None] * 3000,
        "mixed": [*different[:1500], *[None] * 1500],
    }
    devices = fleet(OLD1, NEW, *others[kind])
    for group in group_devices(devices, ALL, NEW).groups:
        text = device_filter(IDENTITY, group.device_ids, group.checksums, group.excluded)
        assert len(text) <= 4096


def test_a_filter_that_is_too_long_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(UsageError, match=r"filter has \d+ characters, services take 4096"):
        device_filter(IDENTITY, [f"{n:032x}" for n in range(150)])


def test_a_delta_alone_goes_to_its_devices_only() -> None:
    grouping = group_devices(fleet(OLD1, OTHER, NEW), ALL[:1], NEW)
    assert grouping.groups == (Group("from-1.0.0", 1, checksums=(OLD1,)),)
    assert group_devices(fleet(OTHER), ALL[:1], NEW).groups == ()


def test_a_package_goes_to_all_that_need_it() -> None:
    devices = fleet(NEW, OLD1, None)
    assert group_devices(devices[1:], [Payload("package")], NEW).groups == (Group("package", 2),)
    (group,) = group_devices(devices, [Payload("package")], NEW).groups
    assert (group.key, group.device_ids) == ("package", (devices[1].id, devices[2].id))


def test_nothing_to_do() -> None:
    grouping = group_devices(fleet(NEW, NEW), ALL, NEW)
    assert (grouping.groups, grouping.up_to_date) == ((), 2)


def test_devices_that_are_away_are_counted() -> None:
    devices = fleet(OLD1, OTHER, NEW, state="deregistered")
    assert group_devices(devices, ALL, NEW).silent == 2


def test_no_device_is_in_two_groups() -> None:
    """Two campaigns for the same device collide."""
    devices = fleet(*[OLD1, OLD2, OTHER, None, NEW] * 30)
    groups = group_devices(devices, ALL, NEW).groups
    for device in devices:
        checksum = (device.firmware_checksum or "").lower()
        hits = [
            g.key
            for g in groups
            if (not g.device_ids or device.id in g.device_ids)
            and (not g.excluded or (checksum and checksum not in g.excluded))
            and (not g.checksums or checksum in g.checksums)
        ]
        assert len(hits) == (checksum != NEW), checksum


def test_filters() -> None:
    assert device_filter(IDENTITY) == BASE
    assert device_filter(IDENTITY, ["a1"]) == f"{BASE}&id__eq=a1"
    assert device_filter(IDENTITY, ["a1", "b2"], ["c3"]) == (
        f"{BASE}&id__in=a1,b2&firmware_checksum__eq=c3"
    )
    assert device_filter(IDENTITY, excluded=["c3"]) == f"{BASE}&firmware_checksum__neq=c3"
    assert device_filter(IDENTITY, excluded=["c3", "d4"]) == (
        f"{BASE}&firmware_checksum__nin=c3,d4"
    )


@pytest.mark.parametrize("identifier", ["", "a&b", "a,b", "a%26", "x" * 65, "a=b", "a b"])
def test_device_ids_cannot_change_the_filter(identifier: str) -> None:
    with pytest.raises(UsageError, match="is no device id"):
        device_filter(IDENTITY, [identifier])


def test_names_are_unique_and_short() -> None:
    names = {unique_name("fota build", 'a"b\r\n' + "x" * 200) for _ in range(100)}
    assert len(names) == 100
    for name in names:
        assert len(name) <= 128
        assert name.startswith("fota_build-")
        assert not set(name) & set('"\r\n &=%,')
