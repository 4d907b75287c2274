"""Device Management in memory: small, scripted, and honest about what is left behind.

A campaign goes through its script by one step per look at it. Every request is kept as it came.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

KEY = "ak_1CanaryKey0123456789abcdef"
PHASES = [
    ["starting", "scheduled"],
    ["active", "publishing"],
    ["stopping", "stopping"],
    ["stopped", "autostopped"],
]
STATS = {"fail": 0, "info": 0, "skipped": 0, "success": 1}
RUNNING = ("starting", "active", "stopping")


@dataclass
class Reply:
    """An answer before it becomes bytes."""

    status: int
    body: Any = None
    headers: dict[str, str] = field(default_factory=dict)

    def encode(self) -> bytes:
        data = b"" if self.body is None else self.body
        headers = {"Content-Type": "application/json", **self.headers}
        if isinstance(data, str):
            headers["Content-Type"] = "text/html"
            data = data.encode()
        elif not isinstance(data, bytes):
            data = json.dumps(data).encode()
        if self.status != 204:
            headers["Content-Length"] = str(len(data))
        lines = [f"HTTP/1.1 {self.status} Whatever"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join(lines).encode() + b"\r\n\r\n" + data


@dataclass
class Call:
    """A request as it came."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes

    @property
    def path(self) -> str:
        return urlsplit(self.target).path

    @property
    def query(self) -> dict[str, str]:
        return {name: values[0] for name, values in parse_qs(urlsplit(self.target).query).items()}

    def __str__(self) -> str:
        return f"{self.method} {re.sub(r'[0-9a-f]{32}', 'ID', self.path)}"


def problem(status: int, message: str) -> Reply:
    return Reply(
        status, {"object": "error", "code": status, "message": message, "request_id": "f" * 32}
    )


@dataclass
class FakeService:
    """The service. Fields describe how it behaves; ``script`` is what a trace calls it."""

    phases: list[list[str]] = field(default_factory=lambda: [list(p) for p in PHASES])
    stats: dict[str, int] = field(default_factory=lambda: dict(STATS))
    events: dict[str, list[list[Any]]] = field(default_factory=dict)
    devices: list[list[str]] = field(default_factory=list)
    fleet: list[dict[str, Any]] | None = None
    inject: dict[str, dict[str, Any]] = field(default_factory=dict)
    job_delay: int = 0
    no_encryption: bool = False
    encryption_delay: int = 0
    one_request: int = 1 << 60
    page: int = 1000
    lists: bool = True
    undeletable: tuple[str, ...] = ()
    key: str = KEY
    corrupt: Callable[[bytes], bytes] | None = None
    calls: list[Call] = field(default_factory=list)
    objects: dict[str, dict[str, dict[str, Any]]] = field(
        default_factory=lambda: {"images": {}, "manifests": {}, "campaigns": {}, "jobs": {}}
    )
    counts: dict[str, int] = field(default_factory=dict)
    made: int = 0
    lock: threading.RLock = field(default_factory=threading.RLock)

    def left(self) -> dict[str, int]:
        """What is on the service."""
        return {kind: len(items) for kind, items in self.objects.items() if items}

    def handle(self, call: Call) -> Reply | dict[str, Any]:
        """Answer, or return what a script injects instead (``drop``, ``sleep``)."""
        with self.lock:
            if call.headers.get("authorization") != f"Bearer {self.key}":
                return problem(401, "The access key is not known")
            for method, pattern, name in _ROUTES:
                match = re.fullmatch(pattern, call.path.rstrip("/"))
                if match is not None and method == call.method:
                    self.counts[name] = self.counts.get(name, 0) + 1
                    injected = self.inject.get(f"{name}#{self.counts[name]}") or self.inject.get(
                        f"{name}#*"
                    )
                    if injected is not None and "sleep" not in injected:
                        return _injected(injected)
                    reply: Reply = getattr(self, f"_{name}")(call, *match.groups())
                    return {"reply": reply, **injected} if injected else reply
            return problem(404, "No such endpoint")

    def _new(self, kind: str, **values: Any) -> dict[str, Any]:
        self.made += 1
        item = {"id": f"{self.made:032x}", "object": kind, **values}
        self.objects[kind][item["id"]] = item
        return item

    def _image(self, name: str, data: bytes, encrypt: bool) -> dict[str, Any]:
        if self.corrupt is not None:
            data = self.corrupt(data)
        item = self._new(
            "images",
            name=name,
            datafile=f"http://firmware.example.com/{hashlib.md5(data).hexdigest()}.bin",
            short_datafile="/fw/1",
            datafile_size=len(data),
            datafile_checksum=hashlib.sha256(data).hexdigest(),
            datafile_encryption=False,
        )
        if encrypt and not self.no_encryption:
            item["datafile_encryption"] = True
            item["delay"] = self.encryption_delay
            if not self.encryption_delay:
                self._encrypt(item)
        return item

    def _encrypt(self, item: dict[str, Any]) -> None:
        size = item["datafile_size"]
        item["encrypted_datafile_size"] = size + 8 * -(-size // 1016)
        item["encrypted_datafile_checksum"] = hashlib.sha256(b"encrypted").hexdigest()

    def _list(self, call: Call, items: list[dict[str, Any]]) -> Reply:
        if not self.lists:
            return problem(403, "Lists are not allowed")
        name = unquote(call.query.get("filter", ""))
        if name:
            wanted = unquote(name.partition("name__eq=")[2])
            items = [item for item in items if item.get("name") == wanted]
        return self._page(call, items)

    def _page(self, call: Call, items: list[dict[str, Any]]) -> Reply:
        after = call.query.get("after")
        if after is not None:
            items = items[[item["id"] for item in items].index(after) + 1 :]
        data, rest = items[: self.page], items[self.page :]
        return Reply(200, {"object": "list", "has_more": bool(rest), "data": data})

    def _get(self, kind: str, identifier: str) -> Reply:
        item = self.objects[kind].get(identifier)
        return problem(404, "No such object") if item is None else Reply(200, item)

    def _delete(self, kind: str, identifier: str) -> Reply:
        if identifier not in self.objects[kind]:
            return problem(404, "No such object")
        del self.objects[kind][identifier]
        return Reply(204)

    def _me(self, call: Call) -> Reply:
        return Reply(200, {"id": "1" * 32, "name": "the key"})

    def _img_create(self, call: Call) -> Reply:
        parts = dict(parse_multipart(call))
        if len(parts["datafile"]) >= self.one_request:
            return problem(413, "too large")
        encrypt = parts.get("datafile_encryption", b"").lower() == b"true"
        return Reply(201, self._image(parts["name"].decode(), parts["datafile"], encrypt))

    def _img_list(self, call: Call) -> Reply:
        return self._list(call, list(self.objects["images"].values()))

    def _img_get(self, call: Call, identifier: str) -> Reply:
        item = self.objects["images"].get(identifier)
        if item and item.get("delay"):
            item["delay"] -= 1
            if not item["delay"]:
                self._encrypt(item)
        return self._get("images", identifier)

    def _img_delete(self, call: Call, identifier: str) -> Reply:
        return self._delete("images", identifier)

    def _job_create(self, call: Call) -> Reply:
        wanted = json.loads(call.body)
        if any(job["name"] == wanted["name"] for job in self.objects["jobs"].values()):
            return problem(409, "This name is used")
        job = self._new(
            "jobs",
            name=wanted["name"],
            status="in_progress",
            complete=False,
            firmware_image_id=None,
            encrypt=wanted["datafile_encryption"],
            chunks=[],
            delay=self.job_delay,
        )
        return Reply(201, _shown(job))

    def _job_list(self, call: Call) -> Reply:
        return self._list(call, [_shown(job) for job in self.objects["jobs"].values()])

    def _job_get(self, call: Call, identifier: str) -> Reply:
        job = self.objects["jobs"].get(identifier)
        if job is None:
            return problem(404, "No such object")
        if job["status"] == "closing":
            if job["delay"]:
                job["delay"] -= 1
            else:
                data = b"".join(chunk for chunk in job["chunks"])
                image = self._image(job["name"], data, job["encrypt"])
                job.update(complete=True, status="success", firmware_image_id=image["id"])
        return Reply(200, _shown(job))

    def _job_delete(self, call: Call, identifier: str) -> Reply:
        return self._delete("jobs", identifier)

    def _chunk_post(self, call: Call, identifier: str) -> Reply:
        job = self.objects["jobs"].get(identifier)
        if job is None:
            return problem(404, "No such job")
        digest = base64.b64encode(hashlib.md5(call.body).digest()).decode()
        if call.headers.get("content-md5") != digest or job["status"] != "in_progress":
            return problem(400, "This chunk does not fit")
        job["chunks"].append(call.body)
        if not call.body:
            job["status"] = "closing"
        return Reply(201, {"id": len(job["chunks"]), "length": len(call.body), "hash": digest})

    def _chunk_list(self, call: Call, identifier: str) -> Reply:
        job = self.objects["jobs"].get(identifier)
        if job is None:
            return problem(404, "No such job")
        items = [
            {
                "id": number,
                "length": len(data),
                "hash": base64.b64encode(hashlib.md5(data).digest()).decode(),
            }
            for number, data in enumerate(job["chunks"], 1)
        ]
        return self._page(call, items)

    def _man_create(self, call: Call) -> Reply:
        parts = dict(parse_multipart(call))
        data = parts["datafile"]
        item = self._new(
            "manifests",
            name=parts["name"].decode(),
            datafile_size=len(data),
            content=base64.b64encode(data).decode(),
        )
        return Reply(201, item)

    def _man_list(self, call: Call) -> Reply:
        return self._list(call, list(self.objects["manifests"].values()))

    def _man_get(self, call: Call, identifier: str) -> Reply:
        return self._get("manifests", identifier)

    def _man_delete(self, call: Call, identifier: str) -> Reply:
        return self._delete("manifests", identifier)

    def _cam_create(self, call: Call) -> Reply:
        wanted = json.loads(call.body)
        if wanted["root_manifest_id"] not in self.objects["manifests"]:
            return problem(400, "No such manifest")
        item = self._new(
            "campaigns",
            **wanted,
            phase="draft",
            state="draft",
            autostop_reason="",
            step=None,
            script=[list(phase) for phase in self.phases],
        )
        return Reply(201, _shown(item))

    def _cam_list(self, call: Call) -> Reply:
        return self._list(call, [_shown(item) for item in self.objects["campaigns"].values()])

    def _cam_get(self, call: Call, identifier: str) -> Reply:
        item = self.objects["campaigns"].get(identifier)
        if item is None:
            return problem(404, "No such object")
        if item["step"] is not None:
            script = item["script"]
            now = script[min(item["step"], len(script) - 1)]
            item["phase"], item["state"] = now[0], now[1]
            item["autostop_reason"] = now[2] if len(now) > 2 else ""
            item["step"] += 1
        return Reply(200, _shown(item))

    def _cam_start(self, call: Call, identifier: str) -> Reply:
        item = self.objects["campaigns"].get(identifier)
        if item is None:
            return problem(404, "No such object")
        if item["phase"] != "draft" or item["step"] is not None:
            return problem(409, "This phase does not allow a start")
        item["step"] = 0
        item["phase"] = item["script"][0][0]
        item["started"] = True
        return Reply(202)

    def _cam_stop(self, call: Call, identifier: str) -> Reply:
        item = self.objects["campaigns"].get(identifier)
        if item is None:
            return problem(404, "No such object")
        if item["phase"] not in ("starting", "active", *self.undeletable):
            return problem(409, "This phase does not allow a stop")
        item.update(
            phase="stopping", step=0, script=[["stopping", "stopping"], ["stopped", "userstopped"]]
        )
        return Reply(202)

    def _cam_delete(self, call: Call, identifier: str) -> Reply:
        item = self.objects["campaigns"].get(identifier)
        if item is not None and item["phase"] in (*RUNNING, *self.undeletable):
            return problem(409, "This phase does not allow a deletion")
        return self._delete("campaigns", identifier)

    def _cam_stats(self, call: Call, identifier: str) -> Reply:
        if identifier not in self.objects["campaigns"]:
            return problem(404, "No such object")
        data = [
            {"id": name, "summary_status": name.upper(), "count": count}
            for name, count in self.stats.items()
        ]
        return Reply(200, {"object": "list", "has_more": False, "data": data})

    def _cam_events(self, call: Call, identifier: str, summary: str) -> Reply:
        data = [
            {"id": code.lower(), "event_type": code, "description": text, "count": count}
            for code, text, count in self.events.get(summary, [])
        ]
        return Reply(200, {"object": "list", "has_more": False, "data": data})

    def _cam_devices(self, call: Call, identifier: str) -> Reply:
        data = [
            {"id": f"{number:032x}", "device_id": device, "deployment_state": state}
            for number, (device, state) in enumerate(self.devices, 1)
        ]
        return self._page(call, data)

    def _dev_list(self, call: Call) -> Reply:
        if self.fleet is None:
            return problem(403, "Not allowed")
        return self._page(call, self.fleet)


def _shown(item: dict[str, Any]) -> dict[str, Any]:
    hidden = ("chunks", "script", "step", "delay", "encrypt", "started")
    return {name: value for name, value in item.items() if name not in hidden}


def _injected(values: dict[str, Any]) -> Reply | dict[str, Any]:
    if values.get("drop"):
        return values
    if "body_text" in values:
        return Reply(values["status"], values["body_text"], values.get("headers", {}))
    reply = problem(values["status"], values["message"])
    reply.headers = values.get("headers", {})
    return reply


def parse_multipart(call: Call) -> Iterator[tuple[str, bytes]]:
    """Names and contents of the parts."""
    boundary = call.headers["content-type"].partition("boundary=")[2].encode()
    for part in (b"\r\n" + call.body).split(b"\r\n--" + boundary)[1:-1]:
        head, _, data = part.partition(b"\r\n\r\n")
        match = re.search(rb'name="([^"]+)"', head)
        assert match is not None
        yield match[1].decode(), data


_ID = "([0-9a-f]{32})"
_I, _M, _C = "/v3/firmware-images", "/v3/firmware-manifests", "/v3/update-campaigns"
_J = f"{_I}/upload-jobs"
_ROUTES = [
    ("GET", "/v3/api-keys/me", "me"),
    ("POST", _I, "img_create"),
    ("GET", _I, "img_list"),
    ("GET", f"{_I}/{_ID}", "img_get"),
    ("DELETE", f"{_I}/{_ID}", "img_delete"),
    ("POST", _J, "job_create"),
    ("GET", _J, "job_list"),
    ("GET", f"{_J}/{_ID}", "job_get"),
    ("DELETE", f"{_J}/{_ID}", "job_delete"),
    ("POST", f"{_J}/{_ID}/chunks", "chunk_post"),
    ("GET", f"{_J}/{_ID}/chunks", "chunk_list"),
    ("POST", _M, "man_create"),
    ("GET", _M, "man_list"),
    ("GET", f"{_M}/{_ID}", "man_get"),
    ("DELETE", f"{_M}/{_ID}", "man_delete"),
    ("POST", _C, "cam_create"),
    ("GET", _C, "cam_list"),
    ("GET", f"{_C}/{_ID}", "cam_get"),
    ("POST", f"{_C}/{_ID}/start", "cam_start"),
    ("POST", f"{_C}/{_ID}/stop", "cam_stop"),
    ("DELETE", f"{_C}/{_ID}", "cam_delete"),
    ("GET", f"{_C}/{_ID}/statistics", "cam_stats"),
    ("GET", f"{_C}/{_ID}/statistics/([a-z]+)/event_types", "cam_events"),
    ("GET", f"{_C}/{_ID}/campaign-device-metadata", "cam_devices"),
    ("GET", "/v3/devices", "dev_list"),
]
