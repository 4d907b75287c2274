"""A fake service on a real socket, with a line that can be cut at any byte."""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from types import TracebackType

from .fake_service import Call, FakeService, Reply

#: What can go wrong with one request. The last part says whether the service did it.
FAULTS = (
    "timeout-before",
    "timeout-after",
    "reset-before",
    "reset-after",
    "truncated",
    "status-429",
    "status-500",
    "status-500-after",
    "html-502",
    "html-502-after",
    "duplicate-first",
    "duplicate-second",
    "drip",
)

#: Those that only a client's own bound on time ends.
SILENT = {"timeout-before", "timeout-after", "drip"}

_REFUSALS = {
    "status-429": Reply(429, {"message": "slow"}, {"Retry-After": "99999999"}),
    "status-500": Reply(500, {"message": "trouble"}),
    "html-502": Reply(502, "<html>Bad Gateway</html>"),
}
_BEFORE = {"timeout-before", "reset-before", *_REFUSALS}


class Wire:
    """Serves a fake service on this machine.

    Args:
        service: the service.
        faults: what goes wrong with the n-th request, counted from 0.
        on_request: called with the number of each request, before (False) and after (True) it is
            done, so that a test can kill the client there.
        context: for TLS.
        prefix: of all paths, as behind a gateway.
    """

    def __init__(
        self,
        service: FakeService,
        faults: dict[int, str] | None = None,
        on_request: Callable[[int, bool], None] | None = None,
        context: ssl.SSLContext | None = None,
        prefix: str = "",
    ) -> None:
        self.service = service
        self.faults = faults or {}
        self.on_request = on_request
        self._context = context
        self._prefix = prefix
        self.count = 0
        self.connections = 0
        self.patience = 30.0
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._open = True
        self._connections: set[socket.socket] = set()
        scheme = "http" if context is None else "https"
        self.url = f"{scheme}://127.0.0.1:{self._listener.getsockname()[1]}{prefix}"

    def __enter__(self) -> Wire:
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._open = False
        _close(self._listener)  # Closing alone would leave the accepting thread with it.
        self._listener.close()
        for connection in list(self._connections):
            _close(connection)

    def _accept(self) -> None:
        while self._open:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            self._connections.add(connection)
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        try:
            if self._context is not None:
                connection = self._context.wrap_socket(connection, server_side=True)
            with connection, connection.makefile("rb") as stream:
                while call := _read_call(stream):
                    call.target = call.target.removeprefix(self._prefix)
                    if not self._answer(connection, call):
                        return
        except OSError:
            pass
        finally:
            self._connections.discard(connection)

    def _answer(self, connection: socket.socket, call: Call) -> bool:
        """Answer one request; return whether the connection is still good."""
        with self._lock:
            number = self.count
            self.count += 1
            self.service.calls.append(call)
        fault = self.faults.get(number, "")
        self._tell(number, done=False)
        if fault in _BEFORE:
            return self._fail(connection, fault)
        reply = self.service.handle(call)
        if fault.startswith("duplicate"):
            second = self.service.handle(call)
            reply = second if fault == "duplicate-second" else reply
        self._tell(number, done=True)
        if isinstance(reply, dict):
            if reply.get("drop"):
                return _reset(connection)
            time.sleep(reply["sleep"])
            reply = reply["reply"]
        assert isinstance(reply, Reply)
        data = reply.encode()
        if fault.endswith("-after"):
            return self._fail(connection, fault.removesuffix("-after"))
        if fault == "truncated":
            connection.sendall(data[: len(data) - max(1, len(data) // 4)])
            return False
        if fault == "drip":
            return self._drip(connection, data)
        connection.sendall(data)
        return True

    def _fail(self, connection: socket.socket, fault: str) -> bool:
        if fault.startswith("timeout"):
            return self._hang(connection)
        if fault.startswith("reset"):
            return _reset(connection)
        connection.sendall(_REFUSALS[fault].encode())
        return True

    def _tell(self, number: int, *, done: bool) -> None:
        if self.on_request is not None:
            self.on_request(number, done)

    def _hang(self, connection: socket.socket) -> bool:
        connection.settimeout(self.patience)
        with contextlib.suppress(OSError):
            connection.recv(1)
        return False

    def _drip(self, connection: socket.socket, data: bytes) -> bool:
        end = time.monotonic() + self.patience
        for byte in data:
            connection.sendall(bytes([byte]))
            time.sleep(0.02)
            if time.monotonic() > end:
                return False
        return False


def _close(connection: socket.socket) -> None:
    with contextlib.suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)


def _reset(connection: socket.socket) -> bool:
    """Cut the connection with a reset instead of an orderly end."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.shutdown(socket.SHUT_RD)
    connection.close()
    return False


def _read_call(stream: object) -> Call | None:
    line = stream.readline()  # type: ignore[attr-defined]
    if not line:
        return None
    method, target, _ = line.decode().split(" ", 2)
    headers = {}
    while (line := stream.readline()) not in (b"\r\n", b""):  # type: ignore[attr-defined]
        name, _, value = line.decode().partition(":")
        headers[name.strip().lower()] = value.strip()
    size = int(headers.get("content-length", "0"))
    body = stream.read(size)  # type: ignore[attr-defined]
    if len(body) != size:
        return None
    return Call(method, target, headers, body)
