"""What the reference tool sent in its recorded runs, sent to our server (section 5.5).

Identifiers are mapped. Bodies of more than a megabyte are sent a thousand times shorter. Answers
that the recording's server was told to fail with were made without doing anything, so those
requests are left out; the campaign is brought to the phase that the recording saw. Compared are the
status, and presence and types of the fields that the reference tool reads.
"""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from fotabuild.server.limits import ServerLimits

from ..conftest import VECTORS
from .harness import Device, Running, content_md5, make_form, running

FOLDER = VECTORS / "device-management"
TRACES = sorted(FOLDER.glob("trace-*.json"))
SHORTER = 1024
PATTERN = bytes(range(256)) * 4
READ = {
    "firmware-image": {"id", "datafile", "short_datafile", "datafile_encryption",
                       "encrypted_datafile_checksum", "encrypted_datafile_size"},
    "upload-job": {"id", "firmware_image_id"},
    "upload-info": {"id"},
    "firmware-manifest": {"id"},
    "update-campaign": {"id", "phase", "state", "autostop_reason"},
    "summary_status": {"id", "count"},
    "event-type": {"id", "count", "description", "event_type"},
    "update-campaign-device-metadata": {"id", "device_id", "deployment_state"},
    "list": {"data"},
}  # fmt: skip
#: Where we answer otherwise, on purpose: (trace, sequence number): (status, why).
DEVIATIONS = {
    ("update-v3-long-file-name", 1): (400, "names of 160 and 169 characters are over the limit"),
    ("update-v3-long-file-name", 2): (400, "the same"),
    ("update-v3-long-file-name", 3): (400, "there is no manifest then"),
}


@dataclass
class Replay:
    """One recorded run against a server."""

    name: str
    server: Running
    device: Device
    ids: dict[str, str] = field(default_factory=dict)
    campaign: str | None = None
    compared: int = 0
    left_out: int = 0

    def run(self, trace: dict[str, Any]) -> None:
        for exchange in trace["exchanges"]:
            response = exchange.get("response") or {}
            if self._is_told_to_fail(trace, response):
                self.left_out += 1
                continue
            self._prepare(exchange["request"], response)
            self._exchange(exchange, response)

    def _is_told_to_fail(self, trace: dict[str, Any], response: dict[str, Any]) -> bool:
        status = response.get("status")
        natural = self.name in ("update-v3-unauthorised", "update-v3-netrc") or status in (404, 409)
        injected = bool(trace["server"].get("inject"))
        return status is None or (status >= 300 and not (natural and not injected))

    def _prepare(self, request: dict[str, Any], response: dict[str, Any]) -> None:
        """Bring the campaign to where it was in the recording, with what is not recorded."""
        if self.campaign is None:
            return
        campaign, phase = {"id": self.campaign}, (response.get("body") or {}).get("phase")
        if request["method"] == "DELETE" and "campaigns" in request["target"]:
            phase = "stopping" if response["status"] == 409 else "stopped"
        now = self.server.client.state(campaign)[0]
        if phase in ("active", "stopping", "stopped") and now == "starting":
            self.server.go(campaign, "active")
            now = "active"
        if phase in ("stopping", "stopped") and now == "active":
            self.server.go(campaign, "active")
            self._report(campaign)
            self.server.go(campaign, "stopping")
            now = "stopping"
        if phase == "stopped" and now == "stopping":
            self.server.go(campaign, "stopped")

    def _report(self, campaign: dict[str, str]) -> None:
        failed = "failed" in self.name
        self.device.report(campaign, "UPD4_FAIL_210" if failed else "UPD4_OK_100")
        if self.server.client.counts(campaign)["info"]:
            self.server.client("POST", f"/v3/update-campaigns/{campaign['id']}/stop")

    def _exchange(self, exchange: dict[str, Any], response: dict[str, Any]) -> None:
        request = exchange["request"]
        body, headers = self._body(request)
        answer = self.server.client(
            request["method"], self._mapped(request["target"]), body, headers
        )
        deviation = DEVIATIONS.get((self.name, exchange["seq"]))
        assert deviation is None or deviation[0] != response["status"], "this is no deviation"
        expected = response["status"] if deviation is None else deviation[0]
        where = f"{exchange['seq']}: {request['method']} {request['target']}"
        assert answer.status == expected, f"{where}: {answer.body!r}"
        self.compared += 1
        if request["method"] == "DELETE" and "campaigns" in request["target"]:
            self.campaign = self.campaign if answer.status == 409 else None
        if answer.status != response["status"] or not response.get("body"):
            return
        self._compare(where, response["body"], answer.json)
        self._learn(response["body"], answer.json)

    def _mapped(self, text: str) -> str:
        for theirs, ours in self.ids.items():
            text = text.replace(theirs, ours)
        return text

    def _learn(self, theirs: dict[str, Any], ours: dict[str, Any]) -> None:
        for name in ("id", "firmware_image_id"):
            if isinstance(theirs.get(name), str) and isinstance(ours.get(name), str):
                self.ids[theirs[name]] = ours[name]
        if ours.get("object") == "update-campaign":
            self.campaign = ours["id"]

    def _body(self, request: dict[str, Any]) -> tuple[bytes | None, dict[str, str]]:
        headers = {
            name: value
            for name, value in request["headers"]
            if name not in ("Host", "Content-Length", "Content-MD5", "Content-Type")
        }
        # The recordings hold no keys.
        key = "wrong" if self.name == "update-v3-unauthorised" else self.server.client.key
        headers["Authorization"] = headers["Authorization"].replace("<access-key>", str(key))
        kinds = dict(request["headers"])
        body = request["body"]
        if body["kind"] == "json":
            headers["Content-Type"] = kinds["Content-Type"]
            return self._mapped(json.dumps(body["value"])).encode(), headers
        if body["kind"] == "multipart":
            texts = {p["name"]: p["text"] for p in body["parts"] if "text" in p}
            files = {
                p["name"]: (
                    p["filename"].replace("<timestamp>", "2024_01_01-00_00_00"),
                    _content(p),
                )
                for p in body["parts"]
                if "filename" in p
            }
            texts["name"] = texts["name"].replace("<timestamp>", "2024_01_01-00_00_00")
            data, headers["Content-Type"] = make_form(texts, files)
            return data, headers
        if "Content-MD5" in kinds:
            data = bytes(request["length"] // SHORTER)
            headers["Content-MD5"] = content_md5(data)
            if "Content-Type" in kinds:
                headers["Content-Type"] = kinds["Content-Type"]
            return data, headers
        return (b"" if "Content-Length" in kinds else None), headers

    def _compare(self, where: str, theirs: Any, ours: Any) -> None:
        if theirs.get("object") == "error":
            return
        for name in READ[theirs["object"]] & set(theirs):
            assert name in ours, f"{where}: no {name}"
            # An image is there at once: what was null in a recording may be a text here.
            if theirs[name] is not None and ours[name] is not None:
                assert type(ours[name]) is type(theirs[name]), f"{where}: {name}"
        if theirs["object"] == "list" and theirs["data"] and ours["data"]:
            assert type(ours["data"][0]) is dict
            self._compare(where, theirs["data"][0], ours["data"][0])


def _content(part: dict[str, Any]) -> bytes:
    """Return the content of a recorded file."""
    if "base64" in part:
        return base64.b64decode(part["base64"])
    if part["sha256"] == hashlib.sha256(PATTERN).hexdigest():
        return PATTERN
    return bytes(part["length"] if part["length"] < 1 << 20 else part["length"] // SHORTER)


def test_all_recordings_are_here() -> None:
    assert len(TRACES) == 49


@pytest.mark.parametrize("path", TRACES, ids=[p.stem.removeprefix("trace-") for p in TRACES])
def test_recorded_run(path: Path, record_property: Any) -> None:
    trace = json.loads(path.read_text(encoding="utf-8"))
    name = path.stem.removeprefix("trace-")
    with running(limits=ServerLimits(chunk_min=5 * 1024)) as server:
        replay = Replay(name, server, server.device())
        replay.run(trace)
        assert replay.compared + replay.left_out == len(trace["exchanges"])
    record_property("tally", ("recorded runs answered as recorded", True))


def test_every_deviation_is_of_a_recording() -> None:
    assert {name for name, _ in DEVIATIONS} <= {p.stem.removeprefix("trace-") for p in TRACES}
