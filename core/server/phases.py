"""Phases and states of campaigns (device-management-api, section 1.8)."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Phase(enum.Enum):
    """Where a campaign is."""

    DRAFT = "draft"
    AWAITING_APPROVAL = "awaiting_approval"
    TIMED = "timed"
    STARTING = "starting"
    ACTIVE = "active"
    STOPPING = "stopping"
    STOPPED = "stopped"
    ARCHIVED = "archived"


#: Phases in which a campaign does something.
RUNNING = (Phase.STARTING, Phase.ACTIVE, Phase.STOPPING)
#: Phases from which a campaign can be stopped.
STOPPABLE = (Phase.AWAITING_APPROVAL, Phase.TIMED, Phase.STARTING, Phase.ACTIVE)


@dataclass(frozen=True)
class State:
    """A phase with its finer state."""

    phase: Phase
    name: str


SCHEDULED = State(Phase.STARTING, "scheduled")
ALLOCATING = State(Phase.STARTING, "allocatingquota")
CHECKING_MANIFEST = State(Phase.STARTING, "checkingmanifest")
DEVICE_FETCH = State(Phase.STARTING, "devicefetch")
DEVICE_COPY = State(Phase.STARTING, "devicecopy")
DEVICE_CHECK = State(Phase.STARTING, "devicecheck")
PUBLISHING = State(Phase.ACTIVE, "publishing")
DEPLOYING = State(Phase.ACTIVE, "deploying")
STOPPING = State(Phase.STOPPING, "stopping")

#: What a started campaign goes through, each state lasting a step.
SCRIPT = (
    SCHEDULED,
    ALLOCATING,
    CHECKING_MANIFEST,
    DEVICE_FETCH,
    DEVICE_COPY,
    DEVICE_CHECK,
    PUBLISHING,
    DEPLOYING,
)
#: What can end a campaign; the state that it then has.
AUTOSTOPPED, USERSTOPPED = "autostopped", "userstopped"
CONFLICT, NO_QUOTA, NO_MANIFEST = "conflict", "quotaallocationfailed", "manifestremoved"
