"""What happens to a started campaign as time goes by (device-management-api, section 5.3).

Nothing here looks at a clock or at the network: :func:`advance` gets the time and the database, and
does what is due. A client that only looks never moves a campaign.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from dataclasses import dataclass, field

from fotabuild.server import phases
from fotabuild.server.campaign_devices import count_devices, is_busy, join, matching
from fotabuild.server.campaigns import end, enter
from fotabuild.server.clock import SECOND
from fotabuild.server.events import Summary
from fotabuild.server.phases import SCRIPT, Phase, State
from fotabuild.server.settings import ServerSettings

#: A campaign stays visible that long when nobody looks at it: clients take a campaign that is over
#: at their first look for one that never started.
_UNSEEN_SECONDS = 5
#: Steps that winding down takes.
_STOPPING_STEPS = 2


@dataclass
class Progress:
    """What :func:`advance` did.

    Attributes:
        log: lines for people.
        wake: devices that have something to fetch now.
    """

    log: list[str] = field(default_factory=list)
    wake: list[str] = field(default_factory=list)


def unfinished(connection: sqlite3.Connection) -> list[sqlite3.Row]:
    """Return the campaigns that time moves."""
    return connection.execute(
        "SELECT * FROM campaigns WHERE phase IN ('timed', 'starting', 'active', 'stopping')"
        " ORDER BY id"
    ).fetchall()


def due(
    connection: sqlite3.Connection, settings: ServerSettings, now: int, seen: Collection[str]
) -> bool:
    """Tell whether :func:`advance` has something to do; reads only."""
    return any(
        row["state_since"] > now and row["phase"] != Phase.TIMED.value
        for row in unfinished(connection)
    ) or any(_Step(connection, settings, row, now, seen).due() for row in unfinished(connection))


def advance(
    connection: sqlite3.Connection, settings: ServerSettings, now: int, seen: Collection[str]
) -> Progress:
    """Move every campaign as far as the time allows.

    Args:
        connection: the database.
        settings: lengths of steps, quota, limits.
        now: microseconds since 1970.
        seen: campaigns that a client has looked at since they started.
    """
    progress = Progress()
    # The clock was set back: what began in the future began now, or nothing would move until then.
    connection.execute(
        "UPDATE campaigns SET state_since = ? WHERE state_since > ?"
        " AND phase IN ('starting', 'active', 'stopping')",
        (now, now),
    )
    for row in unfinished(connection):
        identifier = row["id"]
        while (step := _Step(connection, settings, row, now, seen)).due():
            step.take(progress)
            row = connection.execute(
                "SELECT * FROM campaigns WHERE id = ?", (identifier,)
            ).fetchone()
            state = f"{row['phase']}, {row['state']}"
            reason = f": {row['autostop_reason']}" if row["autostop_reason"] else ""
            progress.log.append(f"campaign {row['id']} {row['name']}: {state}{reason}")
    return progress


class _Step:
    """The next step of one campaign."""

    def __init__(
        self,
        connection: sqlite3.Connection,
        settings: ServerSettings,
        row: sqlite3.Row,
        now: int,
        seen: Collection[str],
    ) -> None:
        self._connection, self._settings, self._row = connection, settings, row
        self._now, self._seen = now, seen
        self._id: str = row["id"]
        self._length = round(settings.step_seconds * SECOND)

    @property
    def _state(self) -> State:
        return State(Phase(self._row["phase"]), self._row["state"])

    def due(self) -> bool:
        """Tell whether it is time."""
        phase, since = self._state.phase, self._row["state_since"]
        if phase is Phase.TIMED:
            return bool(self._row["start_at"] <= self._now)
        if phase is Phase.STOPPING:
            return bool(since + _STOPPING_STEPS * self._length <= self._now)
        if phase in (Phase.STARTING, Phase.ACTIVE):
            if since + self._length > self._now:
                return False
            return self._state != phases.DEPLOYING or self._verdict() is not None
        return False

    def take(self, progress: Progress) -> None:
        """Do it. Steps that are overdue follow each other as if they had been in time."""
        state, since = self._state, self._row["state_since"]
        if state.phase is Phase.TIMED:
            enter(self._connection, self._id, phases.SCHEDULED, self._row["start_at"])
        elif state.phase is Phase.STOPPING:
            self._finish(since + _STOPPING_STEPS * self._length)
        elif state == phases.DEPLOYING:
            end(self._connection, self._id, *(self._verdict() or ("", "")), self._now)
        else:
            leave = self._leaving().get(state)
            if leave is None or leave(since + self._length):
                following = SCRIPT[SCRIPT.index(state) + 1]
                enter(self._connection, self._id, following, since + self._length)
                if following == phases.DEPLOYING:
                    progress.wake += self._waiting_devices()

    def _leaving(self) -> dict[State, Callable[[int], bool]]:
        """Return what each state checks at its end; False says that the campaign went elsewhere."""
        return {
            phases.ALLOCATING: lambda now: self._check_quota(1, now),
            phases.CHECKING_MANIFEST: self._check_manifest,
            phases.DEVICE_FETCH: self._fetch_devices,
        }

    def _check_quota(self, wanted: int, now: int) -> bool:
        quota = self._settings.quota
        if quota is None:
            return True
        used = self._connection.execute("SELECT updates_used FROM account").fetchone()[0]
        reserved = self._connection.execute(
            "SELECT COUNT(*) FROM campaign_devices d JOIN campaigns c ON c.id = d.campaign_id"
            " WHERE c.phase IN ('starting', 'active', 'stopping') AND c.id <> ?",
            (self._id,),
        ).fetchone()[0]
        if quota - used - reserved >= wanted:
            return True
        return self._stop_at_once(phases.NO_QUOTA, "No quota for the devices of the campaign", now)

    def _check_manifest(self, now: int) -> bool:
        if self._manifest_exists():
            return True
        return self._stop_at_once(phases.NO_MANIFEST, "The manifest was removed", now)

    def _manifest_exists(self) -> bool:
        found = self._connection.execute(
            "SELECT 1 FROM manifests WHERE id = ?", (self._row["root_manifest_id"],)
        ).fetchone()
        return found is not None

    def _fetch_devices(self, now: int) -> bool:
        devices = matching(self._connection, self._settings, self._row["device_filter"])
        continuous = self._row["campaign_strategy"] == "continuous"
        if not devices and not continuous:
            self._return_to_draft("No devices matched the filter", now)
            return False
        busy = [device for device in devices if is_busy(self._connection, device["id"])]
        if busy:
            names = ", ".join(device["endpoint_name"] for device in busy[:3])
            return self._stop_at_once(
                phases.CONFLICT, f"Devices are in another running campaign: {names}", now
            )
        if devices and not self._check_quota(len(devices), now):
            return False
        for device in devices:
            join(self._connection, self._id, device, now)
        return True

    def _return_to_draft(self, reason: str, now: int) -> None:
        enter(self._connection, self._id, State(Phase.DRAFT, "draft"), now)
        self._connection.execute(
            "UPDATE campaigns SET autostop_reason = ? WHERE id = ?", (reason, self._id)
        )

    def _stop_at_once(self, state: str, reason: str, now: int) -> bool:
        enter(self._connection, self._id, State(Phase.STOPPED, state), now)
        self._connection.execute(
            "UPDATE campaigns SET autostop_reason = ? WHERE id = ?", (reason, self._id)
        )
        return False

    def _waiting_devices(self) -> list[str]:
        rows = self._connection.execute(
            "SELECT device_id FROM campaign_devices WHERE campaign_id = ? AND summary = 'info'",
            (self._id,),
        )
        return [row[0] for row in rows]

    def _verdict(self) -> tuple[str, str] | None:
        """Return state and reason if the campaign is to stop by itself."""
        if not self._manifest_exists():
            return phases.NO_MANIFEST, "The manifest was removed"
        if not self._row["autostop"] or self._row["campaign_strategy"] == "continuous":
            return None
        started = min(self._row["started_at"] or 0, self._row["state_since"])
        if self._id not in self._seen and self._now < started + _UNSEEN_SECONDS * SECOND:
            return None
        counts = count_devices(self._connection, self._id)
        total, percent = sum(counts.values()), self._row["autostop_success_percent"]
        if counts[Summary.INFO] == 0:
            return phases.AUTOSTOPPED, "Every device is done"
        if counts[Summary.SUCCESS] * 100 >= percent * total:
            return phases.AUTOSTOPPED, f"{percent:g} % of the devices succeeded"
        return None

    def _finish(self, now: int) -> None:
        state = self._row["end_state"] or phases.AUTOSTOPPED
        enter(self._connection, self._id, State(Phase.STOPPED, state), now)
        if state == phases.NO_MANIFEST:
            self._connection.execute(
                "UPDATE campaign_devices SET deployment_state = 'manifestremoved'"
                " WHERE campaign_id = ? AND summary = 'info'",
                (self._id,),
            )
        counts = count_devices(self._connection, self._id)
        self._connection.execute(
            "UPDATE account SET updates_used = updates_used + ?", (counts[Summary.SUCCESS],)
        )
