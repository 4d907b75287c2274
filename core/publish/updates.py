"""What a run is told to do, and how it ended."""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fotabuild.publish.undo import Leftover
from fotabuild.publish.watch import CampaignResult


@dataclass(frozen=True)
class Stored:
    """A payload as the service has it: what its manifest must say.

    Attributes:
        url: where devices download it.
        short_url: a short reference for CoAP, if the service has one.
        encrypted_digest: SHA-256 of the encrypted payload, if it is encrypted.
        encrypted_size: size of that in bytes.
    """

    url: str
    short_url: str | None = None
    encrypted_digest: bytes | None = None
    encrypted_size: int | None = None


@dataclass(frozen=True)
class Update:
    """One payload for one group of devices.

    Attributes:
        key: names it within the run, such as ``full`` or ``from-1.0.0``. Another update with the
            same image and manifest has a number behind it: ``full/2``.
        payload: the file.
        digest: its SHA-256, hexadecimal.
        size: its size in bytes.
        device_filter: which devices get it.
        make_manifest: returns the signed manifest for the payload as it was stored.
        encrypt: whether the service is to encrypt it.
    """

    key: str
    payload: Path
    digest: str
    size: int
    device_filter: str
    make_manifest: Callable[[Stored], bytes]
    encrypt: bool = False


class Cleanup(enum.Enum):
    """When the objects of a run are removed from the service."""

    ALWAYS = "always"
    ON_SUCCESS = "on-success"
    NEVER = "never"


@dataclass(frozen=True)
class RunOptions:
    """How a run goes.

    Attributes:
        prefix: what names on the service begin with.
        description: of the campaigns.
        start: start the campaigns, or leave them in draft.
        wait: wait until they are over; else everything stays.
        timeout: seconds to wait at most, from the start; 0 for as long as it takes.
        approval: somebody has to approve the campaigns before they begin.
        start_at: when the service begins with them, RFC 3339; None for at once.
        cleanup: when to clean up.
    """

    prefix: str = "fotabuild"
    description: str = ""
    start: bool = True
    wait: bool = True
    timeout: float = 0
    approval: bool = False
    start_at: str | None = None
    cleanup: Cleanup = Cleanup.ALWAYS


@dataclass(frozen=True)
class Publication:
    """How a run ended.

    Attributes:
        run: its id.
        results: what became of each campaign.
        left: what could not be removed.
        kept: whether the objects stay on the service on purpose.
    """

    run: str
    results: tuple[CampaignResult, ...]
    left: tuple[Leftover, ...] = ()
    kept: bool = False
