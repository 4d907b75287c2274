"""The 49 recorded situations of manifest-dev-tool 2.6.2, and what is better than what it did.

The recordings are in tests/vectors/device-management. Sizes of 100 MiB are divided by 1024 here.
"""

from __future__ import annotations

import dataclasses
import json
import os
import re
import signal
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fotabuild.publish.pacing import PACING

from ..conftest import VECTORS
from .fake_service import Call, FakeService, parse_multipart
from .scene import QUICK

FOLDER = VECTORS / "device-management"
TRACES = sorted(path.stem.removeprefix("trace-") for path in FOLDER.glob("trace-*.json"))
SCALE = 1024
SCALED = dataclasses.replace(
    QUICK, one_request=PACING.one_request // SCALE, chunk=PACING.chunk // SCALE
)
NOTHING: dict[str, int] = {}


@dataclass(frozen=True)
class Fix:
    """What ours does better. None: as the recorded tool.

    Attributes:
        why: the surprise of the recorded tool that is gone.
        status: our exit status.
        left: what remains on the service.
        writes: whether the requests that write are still the same.
    """

    why: str
    status: int | None = None
    left: dict[str, int] | None = None
    writes: bool = False


FIXES = {
    "update-v3-chunk-rejected": Fix("one 500 ended the upload; tried again", 0),
    "update-v3-job-not-complete-yet": Fix(
        "looked once, orphaned the image; looks until the job is complete", 0, NOTHING
    ),
    "update-v3-job-delete-fails": Fix(
        "threw a finished upload away; the deletion is tried again", 0, NOTHING
    ),
    "update-v3-delta-encrypted": Fix(
        "refused after the upload; refused before anything is sent", 2, NOTHING
    ),
    "update-v3-draft-after-start": Fix("gave up at once and stopped it; waits a little", 0),
    "update-v3-finished-before-first-poll": Fix(
        "success read as 'not started'; the numbers decide", 0, writes=True
    ),
    "update-v3-quota-failed": Fix("exit 0 for a campaign that died", 5, writes=True),
    "update-v3-awaiting-approval": Fix("exit 1 like any failure; timed out is 7", 7, writes=True),
    "update-v3-timeout": Fix("exit 1 like any failure; timed out is 7", 7, writes=True),
    "update-v3-delete-while-stopping": Fix(
        "one refused DELETE left everything; the others are removed", 0, {"campaigns": 1}
    ),
    "update-v3-ctrl-c": Fix("exit 0 when interrupted", 130, writes=True),
    "update-v3-ctrl-c-no-wait": Fix("interrupted, exit 0, image left", 130, NOTHING),
    "update-v3-netrc": Fix("a netrc entry replaced the access key", 0),
    "update-v3-error-html-body": Fix("a 502 was a JSON error; looked up and tried again", 0),
    "update-v3-rate-limited": Fix("429 ended it; Retry-After is honoured", 0),
    "update-v3-upload-connection-reset": Fix("a reset ended it; looked up and tried again", 0),
    "update-v3-poll-500": Fix("one 500 stopped a healthy campaign", 0),
    "update-v3-manifest-rejected-no-wait": Fix("left the image", 4, NOTHING),
    "update-v3-redirect-trailing-slash": Fix(
        "followed the redirect, with the key, as GET", 4, writes=True
    ),
    "update-v3-host-with-path": Fix("dropped the path of the URL; it is kept"),
    "update-v3-other-directory": Fix("key not found after the upload; image left", 1, NOTHING),
    "update-v3-long-file-name": Fix("names longer than the service allows; cut", writes=True),
    "update-v3-empty-payload": Fix("an empty payload was accepted", 1, NOTHING),
}
# The recorded tool exits 1 for everything; these are the statuses that tell causes apart.
STATUSES = {
    "update-v3-campaign-rejected": 4,
    "update-v3-encryption-unsupported": 4,
    "update-v3-failed-and-skipped": 5,
    "update-v3-https-untrusted": 4,
    "update-v3-image-too-large": 4,
    "update-v3-manifest-rejected": 4,
    "update-v3-no-matching-device": 6,
    "update-v3-start-conflict": 4,
    "update-v3-unauthorised": 4,
}


def load(name: str) -> dict[str, Any]:
    values = json.loads((FOLDER / f"trace-{name}.json").read_text(encoding="utf-8"))
    assert isinstance(values, dict)
    return values


def make_service(trace: dict[str, Any]) -> FakeService:
    """The service as it was in a recording."""
    server = trace["server"]
    inject = {
        key: {**values, "sleep": 0.05} if "sleep" in values else values
        for key, values in server.get("inject", {}).items()
    }
    given = ("phases", "stats", "events", "devices", "job_delay", "no_encryption")
    return FakeService(**{n: server[n] for n in given if n in server}, inject=inject)


def check_requests(trace: dict[str, Any], fake: FakeService, status: int, fix: Fix) -> None:
    """Compare what ours did with the recording, and with what is to be better."""
    kinds = ("images", "manifests", "campaigns", "jobs")
    before = dict(zip(kinds, trace["left_on_server"].values(), strict=True))
    was = {kind: count for kind, count in before.items() if count}
    expected = trace["exit_code"] if fix.status is None else fix.status
    assert (status, fake.left()) == (expected, was if fix.left is None else fix.left)
    if fix.writes:
        ours = [(call.method, call.path) for call in fake.calls]
        assert writes(ours) == writes(recorded(trace))
    check_bodies(trace, fake)


def after(arguments: list[str], option: str, default: str) -> str:
    return arguments[arguments.index(option) + 1] if option in arguments else default


def payload_size(trace: dict[str, Any]) -> int:
    text = trace["payload"]
    if text == "zero bytes":
        return 0
    if text.startswith("100 MiB"):
        return 100 * 1024
    if text.startswith("1 byte short of 100 MiB"):
        return 100 * 1024 - 1
    return 1024


def interrupter(when: str | None, fake: FakeService) -> Callable[[int, bool], None] | None:
    """Return what interrupts the client where the recording says so."""
    if when is None:
        return None
    handler, _, number = when.split()[-1].partition("#")
    fired: list[bool] = []

    def interrupt(_: int, done: bool) -> None:
        if done and not fired and fake.counts.get(handler, 0) >= int(number):
            fired.append(True)
            os.kill(os.getpid(), signal.SIGINT)

    return interrupt


def writes(calls: list[tuple[str, str]]) -> list[str]:
    """The requests that change something, with ids left out."""
    found = [(m, re.sub(r"[0-9a-f]{32}", "ID", path)) for m, path in calls if m != "GET"]
    return [f"{method} {path}" for method, path in found]


def recorded(trace: dict[str, Any]) -> list[tuple[str, str]]:
    return [(e["request"]["method"], e["request"]["target"]) for e in trace["exchanges"]]


def check_bodies(trace: dict[str, Any], fake: FakeService) -> None:
    """Compare what was sent, part by part and field by field."""
    first: dict[str, Call] = {}
    for call in fake.calls:
        first.setdefault(str(call), call)
    for exchange in trace["exchanges"]:
        body = exchange["request"]["body"]
        name = f"{exchange['request']['method']} {exchange['request']['target']}"
        if name not in first:
            continue
        call = first.pop(name)
        if body["kind"] == "multipart":
            theirs = {part["name"]: part for part in body["parts"]}
            if theirs.get("datafile_encryption", {}).get("text") == "False":
                del theirs["datafile_encryption"]  # Not sent unless it is wanted.
            ours = dict(parse_multipart(call))
            assert list(ours) == list(theirs)
            assert len(ours["name"]) <= 128
            assert b"Content-Type" not in call.body.partition(b"\r\n\r\n\r\n")[0]
            assert int(call.headers["content-length"]) == len(call.body)
        elif body["kind"] == "json":
            value = json.loads(call.body)
            assert set(value) == set(body["value"])
            for field in ("device_filter", "campaign_strategy", "description"):
                assert value.get(field) == body["value"].get(field)
