"""Update campaigns: what clients ask for (device-management-api, section 1.7)."""

from __future__ import annotations

import sqlite3
from typing import Any

from fotabuild.server import phases
from fotabuild.server.campaign_fields import STRATEGIES, given_columns
from fotabuild.server.identifiers import new_id
from fotabuild.server.lists import find, require_room
from fotabuild.server.phases import Phase, State
from fotabuild.server.refusal import Refusal, invalid
from fotabuild.server.service import Service

_KIND = "update campaign"


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
        "campaign_strategy": STRATEGIES[0],
        "approval_required": 0,
        "autostop": 1,
        "autostop_success_percent": 100.0,
        "start_at": None,
        **given_columns(connection, service, values),
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
    columns = given_columns(connection, service, values)
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
