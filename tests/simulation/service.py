"""A scripted update server: it offers what a test tells it to, and breaks where it is told to."""

from __future__ import annotations

import json
import re
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any
from urllib.parse import urlsplit

TOKEN = "token-of-the-device"
CAMPAIGN = "0123456789abcdef0123456789abcdef"


@dataclass(frozen=True)
class Fault:
    """How one request goes wrong.

    Attributes:
        status: answer with this instead.
        headers: of that answer.
        cut_after: close the connection after so many bytes of the body.
        reset: close it before any answer.
        ignore_range: send the whole file although a part was asked for.
        extra: bytes behind the file.
        no_length: end the body by closing the connection.
        shift: begin at another byte than asked for, and say so.
        stall_after: send nothing more after so many bytes, until the service ends.
    """

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    cut_after: int | None = None
    reset: bool = False
    ignore_range: bool = False
    extra: bytes = b""
    no_length: bool = False
    shift: int = 0
    stall_after: int | None = None


@dataclass
class Service:
    """The server with what it offers and what it has seen.

    Attributes:
        manifest: offered to every device until it reports a result; None offers nothing.
        payloads: by path.
        faults: by path, used up one by one.
        seen: method, path and Range of every request.
        reports: event codes by endpoint name.
        registered: what devices said of themselves, by endpoint name.
        enrolment_token: demanded of new devices if given.
        forgotten: tokens that are not known any more.
        left: endpoint names of the devices that left.
        idle: called before a device hears that there is nothing for it.
        trickle: seconds between the bytes of answers on these paths.
    """

    manifest: bytes | None = None
    payloads: dict[str, bytes] = field(default_factory=dict)
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    seen: list[tuple[str, str, str | None]] = field(default_factory=list)
    reports: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    registered: dict[str, dict[str, Any]] = field(default_factory=dict)
    enrolment_token: str | None = None
    forgotten: set[str] = field(default_factory=set)
    left: list[str] = field(default_factory=list)
    idle: Callable[[], None] = lambda: None
    trickle: dict[str, float] = field(default_factory=dict)
    lock: threading.Lock = field(default_factory=threading.Lock)
    over: threading.Event = field(default_factory=threading.Event)
    url: str = ""

    def __enter__(self) -> Service:
        service = self

        class Handler(_Handler):
            pass

        Handler.service = service
        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.over.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def events(self, name: str = "device") -> list[str]:
        """The events that a device reported."""
        return [report["event"] for report in self.reports.get(name, [])]

    def requests(self, path: str) -> list[str | None]:
        """The ranges that were asked for of a path."""
        return [range_ for _, seen, range_ in self.seen if seen == path]


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 512

    def handle_error(self, request: object, client_address: object) -> None:
        """Devices hang up, too."""


class _Handler(BaseHTTPRequestHandler):
    service: Service
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        """Say nothing."""

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self._note():
            return
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        name = token.removeprefix(TOKEN + "-") if token.startswith(TOKEN) else None
        if self.path == "/device/v1/register":
            self._register(body, token, name)
        elif name is None or token in self.service.forgotten:
            self._json(401, {"message": "unknown device"})
        else:
            with self.service.lock:
                self.service.reports.setdefault(name, []).append(body)
            self._answer(204, b"", {})

    def do_DELETE(self) -> None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        with self.service.lock:
            self.service.left.append(token.removeprefix(TOKEN + "-"))
            self.service.forgotten.add(token)
        self._answer(204, b"", {})

    def _register(self, body: dict[str, Any], token: str, name: str | None) -> None:
        service = self.service
        if name is not None and token not in service.forgotten:
            service.registered[name] = body
            self._json(200, {"id": "a" * 32})
        elif name is not None or token != (service.enrolment_token or ""):
            self._json(401, {"message": "not with this token"})
        else:
            name = body["endpoint_name"]
            service.registered[name] = body
            fresh = f"{TOKEN}-{name}"
            service.forgotten.discard(fresh)
            self._json(201, {"id": "a" * 32, "token": fresh})

    def do_GET(self) -> None:
        if self._note():
            return
        path = urlsplit(self.path).path
        if path == "/device/v1/update":
            self._offer()
        elif path in self.service.payloads:
            self._payload(path, Fault())
        else:
            self._json(404, {"message": "nothing here"})

    def _offer(self) -> None:
        token = (self.headers.get("Authorization") or "").removeprefix("Bearer ")
        if token in self.service.forgotten or not token.startswith(TOKEN):
            self._json(401, {"message": "unknown device"})
            return
        name = token.removeprefix(TOKEN + "-")
        done = [one for one in self.service.events(name) if one.startswith("UPD4")]
        if self.service.manifest is None or done:
            wait = int(re.findall(r"wait=(\d+)", self.path)[0])
            time.sleep(min(wait, 0.05))
            self.service.idle()
            self._answer(204, b"", {})
        else:
            self._answer(200, self.service.manifest, {"Fota-Campaign": CAMPAIGN})

    def _note(self) -> bool:
        """Record the request; return whether a fault has dealt with it."""
        path = urlsplit(self.path).path
        with self.service.lock:
            self.service.seen.append((self.command, path, self.headers.get("Range")))
            faults = self.service.faults.get(path, [])
            fault = faults.pop(0) if faults else None
        if fault is None:
            return False
        if fault.reset:
            self._cut()
        elif fault.status:
            self._answer(fault.status, b"<html>sorry</html>", fault.headers)
        else:
            self._payload(path, fault)
        return True

    def _payload(self, path: str, fault: Fault) -> None:
        content = self.service.payloads[path] + fault.extra
        start = 0
        match = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range") or "")
        headers = {"ETag": '"one"'}
        if match and not fault.ignore_range:
            start = int(match[1]) + fault.shift
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        body = content[start:]
        self._answer(206 if start else 200, body, headers, fault)

    def _json(self, status: int, values: dict[str, Any]) -> None:
        self._answer(status, json.dumps(values).encode(), {})

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str], fault: Fault | None = None
    ) -> None:
        fault = fault or Fault()
        pause = self.service.trickle.get(urlsplit(self.path).path)
        if pause is not None:
            self._trickle(status, body, headers, pause)
            return
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if not fault.no_length:
            if status != 204:
                self.send_header("Content-Length", str(len(body)))
        else:
            self.send_header("Connection", "close")
            self.close_connection = True
        self.end_headers()
        if fault.stall_after is not None:
            self.wfile.write(body[: fault.stall_after])
            self.wfile.flush()
            self.service.over.wait(60)
            self.close_connection = True
        elif fault.cut_after is not None:
            self.wfile.write(body[: fault.cut_after])
            self._cut()
        else:
            self.wfile.write(body)

    def _trickle(self, status: int, body: bytes, headers: dict[str, str], pause: float) -> None:
        """Send one byte at a time, those of the headers too, until the service ends."""
        lines = [f"HTTP/1.1 {status} Well", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        for byte in "\r\n".join([*lines, "", ""]).encode() + body:
            self.wfile.write(bytes([byte]))
            if self.service.over.wait(pause):
                break
        self.close_connection = True

    def _cut(self) -> None:
        self.wfile.flush()
        self.connection.shutdown(socket.SHUT_RDWR)
        self.close_connection = True
