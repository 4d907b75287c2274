"""Fields of a campaign: read from what clients send, and shown to them."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from fotabuild.server.clock import parse_time, to_text
from fotabuild.server.device_values import text_of
from fotabuild.server.devices import FIELDS as DEVICE_FIELDS
from fotabuild.server.filters import FilterField, parse_filter, text_fields, time_fields
from fotabuild.server.identifiers import is_id
from fotabuild.server.images import stamps
from fotabuild.server.payload_names import file_path
from fotabuild.server.refusal import invalid
from fotabuild.server.service import Service

FIELDS: dict[str, FilterField] = {
    **text_fields("id", "name", "description", "device_filter", "root_manifest_id"),
    **text_fields("campaign_strategy", "phase", "state"),
    **time_fields("created_at", "updated_at", "started_at"),
}
#: Those that a campaign may have, the usual one first.
STRATEGIES = ("one-shot", "continuous")


def given_columns(
    connection: sqlite3.Connection, service: Service, values: dict[str, Any]
) -> dict[str, Any]:
    """Return the columns that a client gives a value, all checked."""
    limits = service.limits
    columns: dict[str, Any] = {}
    for name, limit in (("name", limits.name), ("description", limits.description)):
        if name in values:
            columns[name] = text_of(values, name)
            if len(columns[name]) > limit:
                raise invalid(name, f"longer than {limit} characters")
    if "device_filter" in values:
        columns["device_filter"] = text_of(values, "device_filter")
        parse_filter(columns["device_filter"], DEVICE_FIELDS, limits, "device_filter")
    if "root_manifest_id" in values:
        columns |= _manifest_columns(connection, values["root_manifest_id"])
    for name, (column, read) in _VALUES.items():
        if name in values:
            columns[column] = read(name, values[name])
    return columns


def _manifest_columns(connection: sqlite3.Connection, identifier: object) -> dict[str, Any]:
    if not is_id(identifier):
        raise invalid("root_manifest_id", "not 32 hexadecimal digits")
    row = connection.execute(
        "SELECT token, file_name FROM manifests WHERE id = ?", (identifier,)
    ).fetchone()
    if row is None:
        raise invalid("root_manifest_id", "there is no such manifest")
    return {
        "root_manifest_id": identifier,
        "manifest_token": row["token"],
        "manifest_file_name": row["file_name"],
    }


def _strategy(name: str, value: object) -> str:
    if value not in STRATEGIES:
        raise invalid(name, f"one of {', '.join(STRATEGIES)}")
    return str(value)


def _flag(name: str, value: object) -> int:
    if not isinstance(value, bool):
        raise invalid(name, "neither true nor false")
    return int(value)


def _percent(name: str, value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value <= 100:
        raise invalid(name, "not a number above 0, up to 100")
    return float(value)


def _when(name: str, value: object) -> int | None:
    if value is None:
        return None
    time = parse_time(value) if isinstance(value, str) else None
    if time is None:
        raise invalid(name, "not a time such as 2016-11-30T16:25:12Z")
    return time


#: The column of each field, and how it is read.
_VALUES: dict[str, tuple[str, Callable[[str, object], object]]] = {
    "campaign_strategy": ("campaign_strategy", _strategy),
    "approval_required": ("approval_required", _flag),
    "autostop": ("autostop", _flag),
    "autostop_success_percent": ("autostop_success_percent", _percent),
    "when": ("start_at", _when),
}


def campaign_view(service: Service, row: sqlite3.Row) -> dict[str, Any]:
    """Return the JSON object of a campaign."""
    times = ("started_at", "starting_at", "active_at", "stopping_at", "stopped_at", "archived_at")
    return {
        "object": "update-campaign",
        "id": row["id"],
        "name": row["name"],
        "description": row["description"],
        "device_filter": row["device_filter"],
        "root_manifest_id": row["root_manifest_id"],
        "root_manifest_url": service.url(
            file_path(row["manifest_token"], row["manifest_file_name"])
        ),
        "campaign_strategy": row["campaign_strategy"],
        "approval_required": bool(row["approval_required"]),
        "autostop": bool(row["autostop"]),
        "autostop_success_percent": row["autostop_success_percent"],
        "autostop_reason": row["autostop_reason"],
        "phase": row["phase"],
        "state": row["state"],
        "when": to_text(row["start_at"]),
        "finished": to_text(row["stopped_at"]),
        **{name: to_text(row[name]) for name in times},
        **stamps(row),
    }
