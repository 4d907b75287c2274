"""How an upload ended, for people and programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from fotabuild.errors import (
    CampaignError,
    CampaignTimeoutError,
    ExitStatus,
    FotabuildError,
    NoDeviceError,
    printable,
)
from fotabuild.publish.hints import hint
from fotabuild.publish.outcome import Outcome
from fotabuild.publish.updates import Publication
from fotabuild.publish.watch import CampaignResult

# Devices that are listed one by one.
_MOST_DEVICES = 50
# What went best comes first: of several campaigns the worst decides.
_RANKS = (ExitStatus.OK, ExitStatus.NO_DEVICE, ExitStatus.TIMED_OUT, ExitStatus.CAMPAIGN)
_TEXTS = {
    Outcome.SUCCESS: "every device has the update",
    Outcome.ALL_SKIPPED: "nothing to do: every device was skipped, none was updated",
    Outcome.FAILED_DEVICES: "devices failed",
    Outcome.INCOMPLETE: "it ended before every device had said how it went",
    Outcome.ENDED_BY_SERVICE: "the service ended it",
    Outcome.STOPPED: "somebody stopped it",
    Outcome.UNKNOWN: "it is over, and the service has no numbers",
    Outcome.GONE: "somebody deleted it",
    Outcome.NO_DEVICE: "no device matched",
    Outcome.NOT_STARTED: "it went back to draft: nothing matched, or another campaign has the "
    "devices",
    Outcome.NOTHING_TO_DO: "every device runs this version already",
    Outcome.TIMED_OUT: "it was not over in time",
    Outcome.DRAFT: "left in draft",
    Outcome.RUNNING: "started, and left to run",
}


def to_values(publication: Publication) -> dict[str, Any]:
    """Return the result as JSON-like values."""
    results = [
        {**msgspec.to_builtins(result), "exit_status": int(result.outcome.exit_status)}
        for result in publication.results
    ]
    return {
        "event": "result",
        "run": publication.run,
        "campaigns": results,
        "left": [
            {"kind": one.kind.value, "name": one.name, "id": one.id, "why": one.why}
            for one in publication.left
        ],
        "kept": publication.kept,
    }


def to_text(publication: Publication) -> str:
    """Return the result as lines: each campaign, what devices reported, and each device."""
    lines: list[str] = []
    for result in publication.results:
        lines += _lines(result)
    return "\n".join(map(printable, lines))


def _lines(result: CampaignResult) -> list[str]:
    head = f"campaign {result.key}: {result.outcome.value}: {_TEXTS[result.outcome]}"
    lines = [f"{head} ({result.reason})" if result.reason else head]
    if result.counts is not None:
        lines.append(f"  {result.counts}")
    for event in result.events:
        text = f"  {event.group} {event.code} x {event.count}: {event.description}"
        what = hint(event.code)
        lines.append(f"{text}; {what}" if what else text)
    # Those that need somebody's attention come first.
    devices = sorted(result.devices, key=lambda d: d.deployment_state == "deployed")
    for device in devices[:_MOST_DEVICES]:
        lines.append(f"  device {device.device_id or device.name}: {device.deployment_state}")
    if len(devices) > _MOST_DEVICES:
        lines.append(f"  and {len(devices) - _MOST_DEVICES} devices more")
    return lines


def verdict(results: Sequence[CampaignResult]) -> FotabuildError | None:
    """Return the error that says why an upload was no success, or None."""
    if not results:
        return None
    worst = max(results, key=lambda result: _RANKS.index(result.outcome.exit_status))
    status = worst.outcome.exit_status
    text = f"campaign {worst.key}: {_TEXTS[worst.outcome]}"
    if worst.reason:
        text += f": {worst.reason}"
    if status == ExitStatus.CAMPAIGN:
        told = "what devices reported stands above" if worst.events or worst.devices else None
        return CampaignError(text, remedy=told)
    if status == ExitStatus.NO_DEVICE:
        return NoDeviceError(text, remedy="compare vendor and class of the devices with yours")
    if status == ExitStatus.TIMED_OUT:
        return CampaignTimeoutError(
            text, remedy="devices that are offline keep a campaign open; give it more time"
        )
    return None
