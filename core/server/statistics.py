"""Numbers and devices of a campaign (device-management-api, section 1.9)."""

from __future__ import annotations

import sqlite3
from typing import Any

from fotabuild.server.campaign_devices import count_devices
from fotabuild.server.clock import to_text
from fotabuild.server.events import Summary, describe
from fotabuild.server.filters import text_fields, time_fields
from fotabuild.server.images import stamps
from fotabuild.server.lists import find, whole_list
from fotabuild.server.refusal import not_found

METADATA_FIELDS = {
    **text_fields("id", "device_id", "deployment_state"),
    **time_fields("created_at", "updated_at"),
}


def statistics(connection: sqlite3.Connection, campaign_id: str) -> dict[str, Any]:
    """Return the list of summaries; empty before the campaign was active.

    Raises:
        Refusal: 404.
    """
    row = find(connection, "campaigns", campaign_id, "update campaign")
    if row["active_at"] is None:
        return whole_list([])
    counts = count_devices(connection, campaign_id)
    return whole_list([_summary(row, kind, counts[kind]) for kind in Summary])


def one_summary(connection: sqlite3.Connection, campaign_id: str, name: str) -> dict[str, Any]:
    """Return one summary.

    Raises:
        Refusal: 404, there is no such campaign or summary.
    """
    row = find(connection, "campaigns", campaign_id, "update campaign")
    kind = _kind(name)
    return _summary(row, kind, count_devices(connection, campaign_id)[kind])


def event_types(connection: sqlite3.Connection, campaign_id: str, name: str) -> dict[str, Any]:
    """Return the events behind a summary; their counts add up to it.

    Raises:
        Refusal: 404, there is no such campaign or summary.
    """
    return whole_list(_events(connection, campaign_id, name))


def one_event_type(
    connection: sqlite3.Connection, campaign_id: str, name: str, event: str
) -> dict[str, Any]:
    """Return one of the events behind a summary.

    Raises:
        Refusal: 404, there is no such campaign, summary or event.
    """
    for entry in _events(connection, campaign_id, name):
        if event in (entry["id"], entry["event_type"]):
            return entry
    raise not_found("event type")


def _kind(name: str) -> Summary:
    try:
        return Summary(name)
    except ValueError:
        raise not_found("summary status") from None


def _summary(campaign: sqlite3.Row, kind: Summary, count: int) -> dict[str, Any]:
    return {
        "object": "summary_status",
        "id": kind.value,
        "campaign_id": campaign["id"],
        "summary_status": kind.value.upper(),
        "count": count,
        "created_at": to_text(campaign["created_at"]),
    }


def _events(connection: sqlite3.Connection, campaign_id: str, name: str) -> list[dict[str, Any]]:
    campaign = find(connection, "campaigns", campaign_id, "update campaign")
    kind = _kind(name)
    rows = connection.execute(
        "SELECT event, COUNT(*) AS count FROM campaign_devices"
        " WHERE campaign_id = ? AND summary = ? GROUP BY event ORDER BY event",
        (campaign_id, kind.value),
    )
    return [
        {
            "object": "event-type",
            "id": row["event"].lower(),
            "campaign_id": campaign_id,
            "event_type": row["event"],
            "description": describe(row["event"]),
            "count": row["count"],
            "summary_status": kind.value.upper(),
            "summary_status_id": kind.value,
            "created_at": to_text(campaign["created_at"]),
        }
        for row in rows
    ]


def metadata_view(row: sqlite3.Row) -> dict[str, Any]:
    """Return the JSON object of a device in a campaign."""
    return {
        "object": "update-campaign-device-metadata",
        "id": row["id"],
        "campaign": row["campaign_id"],
        "device_id": row["device_id"],
        "deployment_state": row["deployment_state"],
        "name": row["endpoint_name"],
        "description": "",
        "mechanism": "connector",
        "mechanism_url": "",
        **stamps(row),
    }
