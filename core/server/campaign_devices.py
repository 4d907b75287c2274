"""Which devices are part of a campaign."""

from __future__ import annotations

import sqlite3

from fotabuild.server.devices import FIELDS as DEVICE_FIELDS
from fotabuild.server.events import WAITING, Summary
from fotabuild.server.filters import Condition, parse_filter
from fotabuild.server.identifiers import new_id
from fotabuild.server.settings import ServerSettings


def matching(
    connection: sqlite3.Connection,
    settings: ServerSettings,
    text: str,
    device_id: str | None = None,
) -> list[sqlite3.Row]:
    """Return the devices that a campaign's filter names, or that one of them."""
    condition = parse_filter(text, DEVICE_FIELDS, settings.limits, "device_filter")
    if device_id is not None:
        condition = Condition(f"({condition.sql}) AND id = ?", (*condition.parameters, device_id))
    sql = f"SELECT * FROM devices WHERE {condition.sql} ORDER BY id"  # noqa: S608 - our own names
    return connection.execute(sql, condition.parameters).fetchall()


def is_busy(connection: sqlite3.Connection, device_id: str) -> bool:
    """Tell whether a running campaign waits for a device."""
    found = connection.execute(
        "SELECT 1 FROM campaign_devices d JOIN campaigns c ON c.id = d.campaign_id"
        " WHERE d.device_id = ? AND d.summary = 'info' AND c.phase IN ('starting', 'active')",
        (device_id,),
    ).fetchone()
    return found is not None


def join(connection: sqlite3.Connection, campaign_id: str, device: sqlite3.Row, now: int) -> None:
    """Make a device part of a campaign."""
    connection.execute(
        "INSERT OR IGNORE INTO campaign_devices VALUES (?, ?, ?, ?, ?, ?, 'pending', ?, ?)",
        (
            new_id(),
            campaign_id,
            device["id"],
            device["endpoint_name"],
            Summary.INFO.value,
            WAITING,
            now,
            now,
        ),
    )


def join_continuous(
    connection: sqlite3.Connection, settings: ServerSettings, device_id: str, now: int
) -> None:
    """Let a device that has just appeared join a continuous campaign that runs."""
    rows = connection.execute(
        "SELECT id, device_filter FROM campaigns WHERE campaign_strategy = 'continuous'"
        " AND phase = 'active' ORDER BY id"
    ).fetchall()
    for row in rows:
        for device in matching(connection, settings, row["device_filter"], device_id):
            if not is_busy(connection, device_id):
                join(connection, row["id"], device, now)


def count_devices(connection: sqlite3.Connection, campaign_id: str) -> dict[Summary, int]:
    """Return how many devices of a campaign are how far; the sum is all of them."""
    counts = dict.fromkeys(Summary, 0)
    rows = connection.execute(
        "SELECT summary, COUNT(*) FROM campaign_devices WHERE campaign_id = ? GROUP BY summary",
        (campaign_id,),
    )
    counts.update({Summary(row[0]): row[1] for row in rows})
    return counts
