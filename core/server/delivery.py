"""What devices fetch and report."""

from __future__ import annotations

import hashlib
import sqlite3
from dataclasses import dataclass
from typing import Any

from fotabuild.formats.encrypted_payload import encode_key
from fotabuild.server.device_values import hexadecimal, require_fields, text_of, version_of
from fotabuild.server.devices import device_of
from fotabuild.server.events import Summary, summary_of
from fotabuild.server.manifest_facts import read_manifest
from fotabuild.server.manifests import image_of
from fotabuild.server.refusal import Refusal, invalid
from fotabuild.server.service import Service

_DEPLOYMENT_STATES = {
    Summary.SUCCESS: "deployed",
    Summary.SKIPPED: "deployed",
    Summary.FAIL: "failed_connector_channel_update",
}
_ASSIGNED = (
    "SELECT d.id, d.deployment_state, d.campaign_id, m.data FROM campaign_devices d"
    " JOIN campaigns c ON c.id = d.campaign_id JOIN manifests m ON m.id = c.root_manifest_id"
    " WHERE d.device_id = ? AND d.summary = 'info' AND c.phase = 'active'"
    " AND c.state = 'deploying' ORDER BY d.campaign_id LIMIT 1"
)


@dataclass(frozen=True)
class Delivery:
    """A manifest on its way to a device.

    Attributes:
        record: the device's record in the campaign.
        campaign_id: the campaign.
        manifest: the bytes, with the key behind them if the payload is encrypted.
        etag: their digest, in quotes.
        first: the device has not fetched it yet.
    """

    record: str
    campaign_id: str
    manifest: bytes
    etag: str
    first: bool


def poll(connection: sqlite3.Connection, token: str) -> tuple[str, Delivery | None]:
    """Return the device that brings a token, and what it should install, if anything.

    Raises:
        Refusal: 401, nobody has the token.
    """
    device_id: str = device_of(connection, token)["id"]
    return device_id, _assigned(connection, device_id)


def _assigned(connection: sqlite3.Connection, device_id: str) -> Delivery | None:
    row = connection.execute(_ASSIGNED, (device_id,)).fetchone()
    if row is None:
        return None
    manifest = with_key(connection, row["data"])
    etag = f'"{hashlib.sha256(manifest).hexdigest()}"'
    first = row["deployment_state"] == "pending"
    return Delivery(row["id"], row["campaign_id"], manifest, etag, first)


def with_key(connection: sqlite3.Connection, manifest: bytes) -> bytes:
    """Append the key of an encrypted payload, as devices receive it (section 1.5)."""
    facts = read_manifest(manifest)
    if not facts.payload_format.encrypted:
        return manifest
    image = image_of(connection, facts)
    return manifest if image is None else manifest + encode_key(image["encryption_key"])


def mark_fetched(connection: sqlite3.Connection, service: Service, record: str) -> None:
    """Note that a device has fetched its manifest."""
    connection.execute(
        "UPDATE campaign_devices SET deployment_state = 'updated_connector_channel',"
        " updated_at = ? WHERE id = ? AND deployment_state = 'pending'",
        (service.clock.now(), record),
    )


@dataclass(frozen=True, kw_only=True)
class Report:
    """What a device says about an update.

    Attributes:
        campaign: the campaign it is about.
        event: one of the service's event codes.
        summary: what that means.
        firmware_checksum: SHA-256 of what is installed now, or None.
        firmware_version: the installed version, or None.
    """

    campaign: str
    event: str
    summary: Summary
    firmware_checksum: str | None
    firmware_version: str | None


def parse_report(values: dict[str, Any]) -> Report:
    """Read the body of a report.

    Raises:
        Refusal: 400, a field is missing, unknown or malformed.
    """
    require_fields(
        values,
        required=("campaign", "event"),
        optional=("firmware_checksum", "firmware_version"),
    )
    event = text_of(values, "event")
    summary = summary_of(event)
    if summary is None:
        raise invalid("event", f"unknown event {event[:40]!r}")
    return Report(
        campaign=hexadecimal(values, "campaign", 32),
        event=event,
        summary=summary,
        firmware_checksum=(
            hexadecimal(values, "firmware_checksum", 64) if "firmware_checksum" in values else None
        ),
        firmware_version=version_of(values) if "firmware_version" in values else None,
    )


def take_report(
    connection: sqlite3.Connection, service: Service, token: str, report: Report
) -> Refusal | str | None:
    """Take a report. The same one again changes nothing, and the first result stands.

    Returns:
        A line for the log, or nothing new; or the refusal of a report about a campaign that is
        gone. What the device says about itself is kept even then.

    Raises:
        Refusal: 401, nobody has the token.
    """
    device, now = device_of(connection, token), service.clock.now()
    checksum = report.firmware_checksum or device["firmware_checksum"]
    version = report.firmware_version or device["firmware_version"]
    if (checksum, version) != (device["firmware_checksum"], device["firmware_version"]):
        connection.execute(
            "UPDATE devices SET firmware_checksum = ?, firmware_version = ?, updated_at = ?"
            " WHERE id = ?",
            (checksum, version, now, device["id"]),
        )
    row = connection.execute(
        "SELECT d.*, c.phase FROM campaign_devices d JOIN campaigns c ON c.id = d.campaign_id"
        " WHERE d.campaign_id = ? AND d.device_id = ?",
        (report.campaign, device["id"]),
    ).fetchone()
    if row is None:
        return Refusal(404, "this device is in no such campaign")
    open_ = row["phase"] in ("active", "stopping") and row["summary"] == Summary.INFO.value
    if not open_ or row["event"] == report.event:
        return None
    connection.execute(
        "UPDATE campaign_devices SET summary = ?, event = ?, deployment_state = ?, updated_at = ?"
        " WHERE id = ?",
        (
            report.summary.value,
            report.event,
            _DEPLOYMENT_STATES.get(report.summary, row["deployment_state"]),
            now,
            row["id"],
        ),
    )
    if not report.summary.final:
        return None
    return f"device {device['endpoint_name']}: {report.summary.value} {report.event}"
