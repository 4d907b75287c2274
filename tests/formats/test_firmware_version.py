"""Firmware versions: their text, their number on the device, their order (manifest-v3, 5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fotabuild.errors import VersionError
from fotabuild.formats.firmware_version import FirmwareVersion

from .strategies import QUICK

parts = st.integers(0, 999)
versions = st.builds(FirmwareVersion, parts, parts, parts).filter(
    lambda version: version != FirmwareVersion(0, 0, 0)
)


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("1.1.0", 0x0080010000010000),
        ("1.2.3", 0x0080010000020003),
        ("999.999.999", 0x0083E70003E703E7),
        ("0.0.1", 0x0080000000000001),
    ],
)
def test_numbers_of_the_specification(text: str, number: int) -> None:
    version = FirmwareVersion.parse(text)
    assert version.to_device_number() == number
    assert FirmwareVersion.from_device_number(number) == version
    assert str(version) == text


@QUICK
@given(versions, versions)
def test_our_order_is_that_of_the_device(one: FirmwareVersion, other: FirmwareVersion) -> None:
    assert (one < other) == (one.to_device_number() < other.to_device_number())
    assert (one == other) == (one.to_device_number() == other.to_device_number())


@QUICK
@given(versions)
def test_text_and_number_lead_back(version: FirmwareVersion) -> None:
    assert FirmwareVersion.parse(str(version)) == version
    assert FirmwareVersion.from_device_number(version.to_device_number()) == version


def test_every_semantic_version_is_newer_than_any_time_stamp() -> None:
    assert FirmwareVersion.parse("0.0.1").to_device_number() > 2**55 - 1


@pytest.mark.parametrize(
    "text",
    [
        "",
        "0.0.0",
        "1",
        "1.2",
        "1.2.3.4",
        "1.2.3-rc1",
        "1.2.3\n",
        " 1.2.3",
        "01.2.3",
        "1.02.3",
        "1.2.00",
        "1000.0.0",
        "0.1000.0",
        "0.0.1000",
        "-1.0.0",
        "+1.0.0",
        "v1.2.3",
        "1..3",
        "a.b.c",
        "\u0661.0.0",
        "1_0.0.0",
    ],
)
def test_other_texts_are_refused(text: str) -> None:
    with pytest.raises(VersionError, match="is not a firmware version"):
        FirmwareVersion.parse(text)


@pytest.mark.parametrize(
    "number",
    [
        0,
        1_700_000_000,
        2**55 - 1,
        2**55 + (1000 << 40),
        2**55 + (1000 << 16),
        2**55 + 1000,
        2**56,
        2**55 + 2**56,
        -1,
    ],
)
def test_numbers_of_no_semantic_version_are_refused(number: int) -> None:
    with pytest.raises(VersionError):
        FirmwareVersion.from_device_number(number)
