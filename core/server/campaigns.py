"""Update campaigns: what clients ask for (device-management-api, section 1.7)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from typing import Any

from fotabuild.server import phases
from fotabuild.server.clock import parse_time, to_text
from fotabuild.server.devices import FIELDS as DEVICE_FIELDS
from fotabuild.server.devices import text_of
from fotabuild.server.filters import FilterField, parse_filter, text_fields, time_fields
from fotabuild.server.identifiers import is_id, new_id
from fotabuild.server.images import stamps
from fotabuild.server.lists import find, require_room
from fotabuild.server.payload_names import file_path
from fotabuild.server.phases import Phase, State
from fotabuild.server.refusal import Refusal, invalid
from fotabuild.server.service import Service

FIELDS: dict[str, FilterField] = {
    **text_fields("id", "name", "description", "device_filter", "root_manifest_id"),
    **text_fields("campaign_strategy", "phase", "state"),
    **time_fields("created_at", "updated_at", "started_at"),
}
_KIND = "update campaign"
_STRATEGIES = ("one-shot", "continuous")


def add_campaign(
    connection: sqlite3.Connection, service: Service, values: dict[str, Any]
) -> sqlite3.Row:
    """Make a draft of a campaign. Unknown fields are ignored, as the service does.

    Raises:
        Refusal: 400, a field is missing or cannot be used; 403, too many campaigns.
    """
    require_room(connection, "campaigns", service.limits.campaigns, "campaigns")
    columns: dict[str, Any] = {
        "name": "default_object_name",
        "description": "",
        "campaign_strategy": _STRATEGIES[0],
        "approval_required": 0,
        "autostop": 1,
        "autostop_success_percent": 100.0,
        "start_at": None,
        **_columns(connection, service, values),
    }
    for name in ("device_filter", "root_manifest_id"):
        if name not in columns:
            raise invalid(name, "missing")
    identifier, now = new_id(), service.clock.now()
    columns |= {
        "id": identifier,
        "phase": Phase.DRAFT.value,
        "state": "draft",
        "autostop_reason": "",
        "state_since": now,
        "created_at": now,
        "updated_at": now,
    }
    names, places = ", ".join(columns), ", ".join("?" * len(columns))
    connection.execute(
        f"INSERT INTO campaigns ({names}) VALUES ({places})",  # noqa: S608 - our own names only
        tuple(columns.values()),
    )
    return find(connection, "campaigns", identifier, _KIND)


def change_campaign(
    connection: sqlite3.Connection, service: Service, identifier: str, values: dict[str, Any]
) -> sqlite3.Row:
    """Change a campaign: a draft as a whole, later its name and description only.

    Raises:
        Refusal: 404; 400, a field cannot be used; 403, it cannot change any more.
    """
    row = find(connection, "campaigns", identifier, _KIND)
    columns = _columns(connection, service, values)
    if row["phase"] != Phase.DRAFT.value:
        frozen = [
            name
            for name, value in columns.items()
            if name not in ("name", "description") and value != row[name]
        ]
        if frozen:
            raise Refusal(
                403,
                f"the campaign left the draft phase: {', '.join(sorted(frozen))} cannot change",
                fields=[(name, "cannot change") for name in frozen],
            )
    columns["updated_at"] = service.clock.now()
    _update(connection, identifier, columns)
    return find(connection, "campaigns", identifier, _KIND)


def start_campaign(connection: sqlite3.Connection, service: Service, identifier: str) -> None:
    """Start a draft.

    Raises:
        Refusal: 404; 409, it is no draft.
    """
    row = find(connection, "campaigns", identifier, _KIND)
    if row["phase"] != Phase.DRAFT.value:
        raise Refusal(409, f"a campaign in phase {row['phase']} cannot be started")
    connection.execute("DELETE FROM campaign_devices WHERE campaign_id = ?", (identifier,))
    now = service.clock.now()
    _update(connection, identifier, {"started_at": now, "autostop_reason": "", "end_state": None})
    if row["approval_required"]:
        enter(connection, identifier, State(Phase.AWAITING_APPROVAL, "draft"), now)
    else:
        begin(connection, row, now)


def approve_campaign(connection: sqlite3.Connection, service: Service, identifier: str) -> None:
    """Approve a campaign that waits for it. The service documents no way; this one is ours.

    Raises:
        Refusal: 404; 409, it does not wait for approval.
    """
    row = find(connection, "campaigns", identifier, _KIND)
    if row["phase"] != Phase.AWAITING_APPROVAL.value:
        raise Refusal(409, f"a campaign in phase {row['phase']} cannot be approved")
    begin(connection, row, service.clock.now())


def begin(connection: sqlite3.Connection, row: sqlite3.Row, now: int) -> None:
    """Have a campaign start now, or at its time."""
    if row["start_at"] is not None and row["start_at"] > now:
        enter(connection, row["id"], State(Phase.TIMED, "scheduled"), now)
    else:
        enter(connection, row["id"], phases.SCHEDULED, now)


def stop_campaign(connection: sqlite3.Connection, service: Service, identifier: str) -> None:
    """Stop a campaign that runs or waits to.

    Raises:
        Refusal: 404; 409, it does neither.
    """
    row = find(connection, "campaigns", identifier, _KIND)
    if Phase(row["phase"]) not in phases.STOPPABLE:
        raise Refusal(409, f"a campaign in phase {row['phase']} cannot be stopped")
    end(connection, identifier, phases.USERSTOPPED, "Stopped by a client", service.clock.now())


def archive_campaign(connection: sqlite3.Connection, service: Service, identifier: str) -> None:
    """Archive a campaign that has stopped.

    Raises:
        Refusal: 404; 409, it has not.
    """
    row = find(connection, "campaigns", identifier, _KIND)
    if row["phase"] != Phase.STOPPED.value:
        raise Refusal(409, f"a campaign in phase {row['phase']} cannot be archived")
    now = service.clock.now()
    enter(connection, identifier, State(Phase.ARCHIVED, row["state"]), now)


def delete_campaign(connection: sqlite3.Connection, identifier: str) -> None:
    """Forget a campaign.

    Raises:
        Refusal: 404; 409, it is running.
    """
    row = find(connection, "campaigns", identifier, _KIND)
    if Phase(row["phase"]) in phases.RUNNING:
        raise Refusal(409, f"a campaign in phase {row['phase']} cannot be deleted")
    connection.execute("DELETE FROM campaigns WHERE id = ?", (identifier,))


def enter(connection: sqlite3.Connection, identifier: str, state: State, now: int) -> None:
    """Put a campaign into a state, and note when its phase began."""
    columns: dict[str, Any] = {
        "phase": state.phase.value,
        "state": state.name,
        "state_since": now,
        "updated_at": now,
    }
    row = find(connection, "campaigns", identifier, _KIND)
    stamp = f"{state.phase.value}_at"
    if row["phase"] != state.phase.value and stamp in row.keys():  # noqa: SIM118 - of columns
        columns[stamp] = now
    _update(connection, identifier, columns)


def end(connection: sqlite3.Connection, identifier: str, state: str, reason: str, now: int) -> None:
    """Have a campaign wind down and end in a state."""
    enter(connection, identifier, phases.STOPPING, now)
    _update(connection, identifier, {"end_state": state, "autostop_reason": reason})


def _update(connection: sqlite3.Connection, identifier: str, columns: dict[str, Any]) -> None:
    places = ", ".join(f"{name} = ?" for name in columns)
    connection.execute(
        f"UPDATE campaigns SET {places} WHERE id = ?",  # noqa: S608 - our own names only
        (*columns.values(), identifier),
    )


def _columns(
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
    if value not in _STRATEGIES:
        raise invalid(name, f"one of {', '.join(_STRATEGIES)}")
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
