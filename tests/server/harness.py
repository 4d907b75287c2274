"""A server in a thread of the test, a client, and devices."""

from __future__ import annotations

import base64
import hashlib
import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import uvicorn

from fotabuild.formats.identity import Identity, parse_uuid
from fotabuild.formats.manifest_v3 import ManifestV3, encode_signed
from fotabuild.formats.payload_format import PayloadFormat
from fotabuild.server.access import Role, add_key
from fotabuild.server.app import make_app
from fotabuild.server.limits import ServerLimits
from fotabuild.server.running import Address, listen, make_config, url_of
from fotabuild.server.service import Service
from fotabuild.server.settings import ServerSettings

VENDOR = "c0ffee00c0ffee00c0ffee00c0ffee01"
CLASS = "deadbeef0123456789abcdefdeadbeef"
FILTER = f"device_class__eq={CLASS}&vendor_id__eq={VENDOR}"
START = 1_800_000_000_000_000
PATIENCE = 20.0


class ManualClock:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.time = START

    def now(self) -> int:
        return self.time

    def advance(self, seconds: float) -> None:
        self.time += round(seconds * 1_000_000)


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that happens in another thread."""
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, f"waited in vain: {what}"
        time.sleep(0.005)


@dataclass(frozen=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Client:
    """Makes requests with an access key or a device's token."""

    port: int
    key: str | None
    connection: http.client.HTTPConnection | None = field(default=None, repr=False)

    def __call__(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        values: Any = None,
    ) -> Answer:
        """Make a request and check that the answer is one of ours."""
        sent = dict(headers or {})
        if self.key is not None:
            sent.setdefault("Authorization", f"Bearer {self.key}")
        if values is not None:
            body = json.dumps(values).encode()
            sent.setdefault("Content-Type", "application/json")
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request(method, target, body, sent)
            response = connection.getresponse()
            data = response.read()
        finally:
            connection.close()
        answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, data)
        assert not 300 <= answer.status < 400 or answer.status == 304, "never redirect"
        if answer.status >= 400 and method != "HEAD":
            assert set(answer.json) >= {"object", "code", "type", "message", "request_id"}
            assert answer.json["code"] == answer.status
        return answer

    def good(self, method: str, target: str, **options: Any) -> Answer:
        """Make a request that must succeed."""
        answer = self(method, target, **options)
        assert answer.status < 300, answer.body
        return answer

    def post_form(
        self, target: str, texts: Mapping[str, str], files: Mapping[str, tuple[str, bytes]]
    ) -> Answer:
        """Post a multipart form."""
        body, kind = make_form(texts, files)
        return self("POST", target, body, {"Content-Type": kind})

    def upload(self, data: bytes, name: str = "image", *, encrypt: bool = False) -> Any:
        """Upload an image and return its object."""
        texts = {"name": name, "datafile_encryption": str(encrypt)}
        answer = self.post_form("/v3/firmware-images", texts, {"datafile": ("fw.bin", data)})
        assert answer.status == 201, answer.body
        return answer.json

    def upload_manifest(self, data: bytes, name: str = "manifest") -> Any:
        """Upload a manifest and return its object."""
        answer = self.post_form(
            "/v3/firmware-manifests", {"name": name}, {"datafile": ("manifest.der", data)}
        )
        assert answer.status == 201, answer.body
        return answer.json

    def campaign(self, **fields: Any) -> Any:
        """Make a draft and return its object."""
        values = {"name": "campaign", "device_filter": FILTER, **fields}
        answer = self("POST", "/v3/update-campaigns", values=values)
        assert answer.status == 201, answer.body
        return answer.json

    def state(self, campaign: Any) -> tuple[str, str]:
        """Return phase and state of a campaign."""
        found = self.good("GET", f"/v3/update-campaigns/{campaign['id']}").json
        return found["phase"], found["state"]

    def counts(self, campaign: Any) -> dict[str, int]:
        """Return the numbers of a campaign."""
        found = self.good("GET", f"/v3/update-campaigns/{campaign['id']}/statistics").json
        return {entry["id"]: entry["count"] for entry in found["data"]}


def make_form(
    texts: Mapping[str, str], files: Mapping[str, tuple[str, bytes]]
) -> tuple[bytes, str]:
    """Return a multipart body and its content type."""
    # The same in every process: names of tests are made of what this returns.
    boundary = hashlib.sha256(repr((texts, files)).encode()).hexdigest()[:32]
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{text}\r\n'.encode()
        for name, text in texts.items()
    ]
    for name, (file_name, data) in files.items():
        head = f'Content-Disposition: form-data; name="{name}"; filename="{file_name}"'
        parts.append(f"--{boundary}\r\n{head}\r\n\r\n".encode() + data + b"\r\n")
    parts.append(f"--{boundary}--\r\n".encode())
    return b"".join(parts), f"multipart/form-data; boundary={boundary}"


@dataclass
class Running:
    """A server that runs in a thread."""

    service: Service
    clock: ManualClock
    port: int
    client: Client

    @property
    def anybody(self) -> Client:
        """A client without a key."""
        return Client(self.port, None)

    def reader(self) -> Client:
        """A client with a key that may only read."""
        return Client(self.port, self.make_key(Role.READ_ONLY))

    def make_key(self, role: Role = Role.FULL) -> str:
        """Make an access key."""
        return self.service.database.write_now(
            lambda c: add_key(c, "test", role, self.clock.now(), ServerLimits())
        )[1]

    def device(self, name: str = "thermometer-1", **fields: str) -> Device:
        """Register a device."""
        values = registration(name, **fields)
        answer = self.anybody("POST", "/device/v1/register", values=values)
        assert answer.status == 201, answer.body
        return Device(name, answer.json["id"], Client(self.port, answer.json["token"]))

    def go(self, campaign: Any, phase: str) -> None:
        """Move the clock in small steps until a campaign is in a phase."""

        def there() -> bool:
            if self.client.state(campaign)[0] == phase:
                return True
            self.clock.advance(0.1)
            return False

        wait_until(there, f"{phase}, {self.client.state(campaign)}")

    def deploy(self, campaign: Any) -> None:
        """Start a campaign and wait until devices can fetch."""
        self.client.good("POST", f"/v3/update-campaigns/{campaign['id']}/start")

        def there() -> bool:
            if self.client.state(campaign) == ("active", "deploying"):
                return True
            self.clock.advance(0.1)
            return False

        wait_until(there, "deploying")


def registration(name: str, **fields: str) -> dict[str, str]:
    """Return what a device says about itself."""
    return {
        "endpoint_name": name,
        "vendor_id": VENDOR,
        "device_class": CLASS,
        "firmware_checksum": "00" * 32,
        "firmware_version": "1.0.0",
        "component": "MAIN",
        **fields,
    }


@dataclass
class Device:
    """A registered device."""

    name: str
    id: str
    client: Client

    def poll(self, wait: int = 0, headers: Mapping[str, str] | None = None) -> Answer:
        """Ask for an update."""
        return self.client("GET", f"/device/v1/update?wait={wait}", headers=headers)

    def report(self, campaign: Any, event: str, **fields: str) -> Answer:
        """Say how an update went."""
        values = {"campaign": campaign["id"], "event": event, **fields}
        return self.client("POST", "/device/v1/report", values=values)


@contextmanager
def running(
    folder: Path | None = None, clock: ManualClock | None = None, **settings: Any
) -> Iterator[Running]:
    """Run a server until the end of the block."""
    clock = clock or ManualClock()
    address = Address(host="127.0.0.1", port=0)
    listener = listen(address)
    service = Service(
        ServerSettings(public_url=url_of(address, listener), **settings), folder, clock
    )
    server = uvicorn.Server(make_config(make_app(service), service, address))
    thread = threading.Thread(target=server.run, args=([listener],), daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started, "the start")
        key = service.database.write_now(
            lambda c: add_key(c, "test", Role.FULL, clock.now(), ServerLimits())
        )[1]
        port = listener.getsockname()[1]
        yield Running(service, clock, port, Client(port, key))
    finally:
        if server.started:
            loop = server.servers[0].get_loop()
            loop.call_soon_threadsafe(service.waiters.close)
        server.should_exit = True
        thread.join(PATIENCE)
        listener.close()
        service.close()
        assert not thread.is_alive()


def make_manifest(payload: bytes, url: str, **fields: Any) -> bytes:
    """Return a manifest of a payload; its signature is not one."""
    manifest = ManifestV3(
        **{
            "identity": Identity(parse_uuid(VENDOR), parse_uuid(CLASS)),
            "update_priority": 0,
            "component_name": "MAIN",
            "payload_version": "1.1.0",
            "payload_digest": hashlib.sha256(payload).digest(),
            "payload_size": len(payload),
            "payload_uri": url,
            "payload_format": PayloadFormat.RAW_BINARY,
            **fields,
        }
    )
    return encode_signed(manifest, bytes(64))


def content_md5(data: bytes) -> str:
    """Return the header of a chunk."""
    return base64.b64encode(hashlib.md5(data, usedforsecurity=False).digest()).decode()
