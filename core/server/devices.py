"""Devices: what they say about themselves, and what is told about them."""

from __future__ import annotations

import hmac
import re
import sqlite3
from dataclasses import dataclass
from typing import Any

from fotabuild.errors import VersionError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.server.access import new_token, token_hash
from fotabuild.server.events import REMOVED, Summary
from fotabuild.server.filters import FieldKind, FilterField, text_fields, time_fields
from fotabuild.server.identifiers import new_id
from fotabuild.server.images import stamps
from fotabuild.server.lists import find, require_room
from fotabuild.server.refusal import Refusal, invalid
from fotabuild.server.service import Service

_NOT_KEPT = ("name", "description", "serial_number", "endpoint_type", "lifecycle_status", "ca_id")
#: Fields of the service that devices of this server lack are empty.
FIELDS = {
    **text_fields("id", "endpoint_name", "state", "firmware_checksum"),
    **{name: FilterField(FieldKind.TEXT, "''") for name in (*_NOT_KEPT, "host_gateway")},
    "device_execution_mode": FilterField(FieldKind.TEXT, "'1'"),
    "vendor_id": FilterField(FieldKind.UUID, "vendor_id"),
    "device_class": FilterField(FieldKind.UUID, "device_class"),
    **time_fields("created_at", "updated_at"),
    "manifest_timestamp": FilterField(FieldKind.TIME, "updated_at"),
}
# Of a number that fits 63 bits.
_LONGEST_NUMBER = 19
_TOKEN_PREFIX = "dt_"  # noqa: S105 - of every token
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


def register_device(
    connection: sqlite3.Connection, service: Service, given: Registration, token: str | None
) -> tuple[int, str, str]:
    """Register a device, or take what a known one says about itself now.

    Args:
        connection: the database.
        service: the server.
        given: what the device says.
        token: what it brings: nothing, the enrolment token, or its own.

    Returns:
        Status (201 new, 200 known), identifier and token; the token of a known device is not told.

    Raises:
        Refusal: 409, the name is another device's; 401, no enrolment token; 403, too many.
    """
    now = service.clock.now()
    row = connection.execute(
        "SELECT * FROM devices WHERE endpoint_name = ?", (given.endpoint_name,)
    ).fetchone()
    given_hash = token_hash(token or "")
    if row is not None and hmac.compare_digest(row["token_hash"], given_hash):
        connection.execute(
            "UPDATE devices SET vendor_id = ?, device_class = ?, firmware_checksum = ?,"
            " firmware_version = ?, component = ?, updated_at = ? WHERE id = ?",
            (
                given.vendor_id,
                given.device_class,
                given.firmware_checksum,
                given.firmware_version,
                given.component,
                now,
                row["id"],
            ),
        )
        return 200, row["id"], ""
    # The token comes first: who lacks it does not learn which names are used.
    wanted = service.settings.enrolment_hash
    if wanted is not None and not hmac.compare_digest(wanted, given_hash):
        raise Refusal(401, "a new device needs the enrolment token of this server")
    if row is not None:
        raise Refusal(409, "another device is registered under this endpoint name")
    require_room(connection, "devices", service.limits.devices, "devices")
    identifier, fresh = new_id(), new_token(_TOKEN_PREFIX)
    connection.execute(
        "INSERT INTO devices VALUES (?, ?, ?, ?, ?, 'registered', ?, ?, ?, ?, ?)",
        (
            identifier,
            given.endpoint_name,
            token_hash(fresh),
            given.vendor_id,
            given.device_class,
            given.firmware_checksum,
            given.firmware_version,
            given.component,
            now,
            now,
        ),
    )
    return 201, identifier, fresh


def device_of(connection: sqlite3.Connection, token: str) -> sqlite3.Row:
    """Return the device that brings this token.

    Raises:
        Refusal: 401, nobody has it.
    """
    row: sqlite3.Row | None = connection.execute(
        "SELECT * FROM devices WHERE token_hash = ?", (token_hash(token),)
    ).fetchone()
    if row is None:
        raise Refusal(401, "this token is no device's; register first")
    return row


def delete_device(connection: sqlite3.Connection, service: Service, identifier: str) -> None:
    """Forget a device. Running campaigns count it as skipped.

    Raises:
        Refusal: 404.
    """
    find(connection, "devices", identifier, "device")
    connection.execute(
        "UPDATE campaign_devices SET summary = ?, event = ?, deployment_state = 'deregistered',"
        " updated_at = ? WHERE device_id = ? AND summary = 'info' AND campaign_id IN"
        " (SELECT id FROM campaigns WHERE phase IN ('starting', 'active', 'stopping'))",
        (Summary.SKIPPED.value, REMOVED, service.clock.now(), identifier),
    )
    connection.execute("DELETE FROM devices WHERE id = ?", (identifier,))


def device_view(row: sqlite3.Row) -> dict[str, Any]:
    """Return the JSON object of a device."""
    return {
        "object": "device",
        "id": row["id"],
        "name": row["endpoint_name"],
        "endpoint_name": row["endpoint_name"],
        "endpoint_type": "",
        "description": "",
        "serial_number": "",
        "vendor_id": row["vendor_id"],
        "device_class": row["device_class"],
        "state": row["state"],
        "lifecycle_status": "enabled",
        "firmware_checksum": row["firmware_checksum"],
        "firmware_version": row["firmware_version"],
        "component": row["component"],
        "device_execution_mode": 1,
        "mechanism": "connector",
        "custom_attributes": {},
        **stamps(row),
    }
