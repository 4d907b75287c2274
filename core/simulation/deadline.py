"""Exchanges that end in time, even where every single byte arrives in time.

The timeouts of urllib3 bound each wait for the socket. A server that sends one byte a second keeps
within them for ever, in the headers too. So each wait is given no more than the time that is left.
"""

from __future__ import annotations

import contextlib
import io
import socket
import time
from collections.abc import Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from urllib3.connection import HTTPConnection

# Of the thread: a fleet shares its connections, and one is used by one device at a time.
_end: ContextVar[float] = ContextVar("_end", default=float("inf"))


@contextlib.contextmanager
def exchanges_end(at: float) -> Iterator[None]:
    """Cut off every exchange of this thread that is not over at a time of ``time.monotonic``."""
    token = _end.set(at)
    try:
        yield
    finally:
        _end.reset(token)


class _TimedStream(io.RawIOBase):
    """What a socket receives.

    Args:
        sock: the socket; its timeout bounds each wait.
        stream: its bytes.
    """

    def __init__(self, sock: socket.socket, stream: io.RawIOBase) -> None:
        self._sock = sock
        self._timeout = sock.gettimeout()
        self._stream = stream

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:
        if (left := _end.get() - time.monotonic()) <= 0:
            raise TimeoutError("timed out")
        self._sock.settimeout(left if self._timeout is None else min(left, self._timeout))
        return self._stream.readinto(buffer)

    def close(self) -> None:
        self._stream.close()
        super().close()


def timed_pools() -> dict[str, Any]:
    """Return classes for a ``PoolManager``, by scheme, whose connections end in time."""
    from http.client import HTTPResponse

    from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
    from urllib3.connection import HTTPConnection, HTTPSConnection

    class Response(HTTPResponse):
        def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
            super().__init__(sock, *args, **options)
            self.fp = io.BufferedReader(_TimedStream(sock, self.fp.detach()))

    class Plain(HTTPConnection):
        response_class = Response

        def connect(self) -> None:
            _bound(self)
            super().connect()

    class Secure(HTTPSConnection):
        response_class = Response

        def connect(self) -> None:
            _bound(self)
            super().connect()

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure

    return {"http": PlainPool, "https": SecurePool}


def _bound(connection: HTTPConnection) -> None:
    """Give connecting no more than the time that is left.

    Raises:
        urllib3.exceptions.ConnectTimeoutError: there is none.
    """
    from urllib3.exceptions import ConnectTimeoutError

    left = _end.get() - time.monotonic()
    if left <= 0:
        raise ConnectTimeoutError(connection, "the time is over")
    known = connection.timeout
    connection.timeout = min(left, known) if isinstance(known, (int, float)) else left
