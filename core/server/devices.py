"""The devices that registered, and what is told about them."""

from __future__ import annotations

import hmac
import sqlite3
from typing import Any

from fotabuild.server.access import new_token, token_hash
from fotabuild.server.device_values import Registration
from fotabuild.server.events import REMOVED, Summary
from fotabuild.server.filters import FieldKind, FilterField, text_fields, time_fields
from fotabuild.server.identifiers import new_id
from fotabuild.server.images import stamps
from fotabuild.server.lists import find, require_room
from fotabuild.server.refusal import Refusal
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
_TOKEN_PREFIX = "dt_"  # noqa: S105 - of every token


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
