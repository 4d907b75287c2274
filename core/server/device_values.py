"""What devices send: each field is checked, and nothing else may be there."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from fotabuild.errors import VersionError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.server.refusal import invalid

# Of a number that fits 63 bits.
_LONGEST_NUMBER = 19
_HEX = re.compile("[0-9a-f]*", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Registration:
    """What a device says about itself.

    Attributes:
        endpoint_name: its name, one in this server.
        vendor_id: 32 hexadecimal digits.
        device_class: 32 hexadecimal digits.
        firmware_checksum: SHA-256 of what is installed, 64 hexadecimal digits.
        firmware_version: the installed version.
        component: what that is the version of.
    """

    endpoint_name: str
    vendor_id: str
    device_class: str
    firmware_checksum: str
    firmware_version: str
    component: str


def parse_registration(values: dict[str, Any]) -> Registration:
    """Read the body of a registration.

    Raises:
        Refusal: 400, a field is missing, unknown or malformed.
    """
    require_fields(
        values,
        required=(
            "endpoint_name",
            "vendor_id",
            "device_class",
            "firmware_checksum",
            "firmware_version",
        ),
        optional=("component",),
    )
    name = text_of(values, "endpoint_name")
    if not 1 <= len(name) <= 64:
        raise invalid("endpoint_name", "it has 1 to 64 characters")
    component = text_of(values, "component", "MAIN")
    if not 1 <= len(component) <= 32:
        raise invalid("component", "it has 1 to 32 characters")
    return Registration(
        endpoint_name=name,
        vendor_id=hexadecimal(values, "vendor_id", 32),
        device_class=hexadecimal(values, "device_class", 32),
        firmware_checksum=hexadecimal(values, "firmware_checksum", 64),
        firmware_version=version_of(values),
        component=component,
    )


def require_fields(
    values: dict[str, Any], *, required: tuple[str, ...], optional: tuple[str, ...] = ()
) -> None:
    """Check that a device sends what it should, and nothing else.

    Raises:
        Refusal: 400.
    """
    for name in values:
        if name not in (*required, *optional):
            raise invalid(name[:60], "unknown field")
    for name in required:
        if name not in values:
            raise invalid(name, "missing")


def text_of(values: dict[str, Any], name: str, default: str | None = None) -> str:
    """Return a field that is text.

    Raises:
        Refusal: 400.
    """
    value = values.get(name, default)
    if not isinstance(value, str):
        raise invalid(name, "missing" if value is None else "not text")
    if any(0xD800 <= ord(character) <= 0xDFFF for character in value):
        raise invalid(name, "not Unicode text")
    return value


def hexadecimal(values: dict[str, Any], name: str, digits: int) -> str:
    """Return a field of hexadecimal digits.

    Raises:
        Refusal: 400.
    """
    text = text_of(values, name).lower()
    if digits == 32:
        text = text.replace("-", "")
    if len(text) != digits or _HEX.fullmatch(text) is None:
        raise invalid(name, f"not {digits} hexadecimal digits")
    return text


def version_of(values: dict[str, Any]) -> str:
    """Return the firmware version of a device: semantic, or the number of a v1 manifest.

    Raises:
        Refusal: 400.
    """
    text = text_of(values, "firmware_version")
    if text.isascii() and text.isdigit() and len(text) <= _LONGEST_NUMBER:
        return text
    try:
        return str(FirmwareVersion.parse(text))
    except VersionError as error:
        raise invalid("firmware_version", str(error)) from None
