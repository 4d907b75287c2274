"""An HTTP adapter whose exchanges end in time, even where every single byte arrives in time.

The timeouts of ``requests`` bound each wait for the socket. A service that sends one byte a minute
keeps within them for ever, in the headers too, so a thread closes the connection when the time of
the whole exchange is over.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Iterator
from typing import Any

from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


class Watchdog:
    """Closes the connection in use when its time is over."""

    def __init__(self) -> None:
        self._connection: HTTPConnection | None = None
        self._over = threading.Event()
        self.bitten = False

    def watch(self, connection: HTTPConnection) -> None:
        """Take note of the connection that is used now."""
        self._connection = connection

    @contextlib.contextmanager
    def limit(self, seconds: float) -> Iterator[None]:
        """Bound what happens inside; ``bitten`` says afterwards whether it was cut off."""
        self.bitten = False
        self._connection = None
        self._over.clear()
        timer = threading.Thread(target=self._bite, args=(seconds, self._over), daemon=True)
        timer.start()
        try:
            yield
        finally:
            self._over.set()
            self._over = threading.Event()

    def _bite(self, seconds: float, over: threading.Event) -> None:
        while not over.wait(seconds):
            self.bitten = True
            seconds = 0.2  # A connection may be made anew after the first bite.
            connection = self._connection
            if connection is not None and connection.sock is not None:
                with contextlib.suppress(OSError):
                    # Of the socket itself: that of TLS would wait for its lock.
                    socket.socket.shutdown(connection.sock, socket.SHUT_RDWR)


class WatchedAdapter(HTTPAdapter):
    """An adapter that tells a watchdog which connection it uses. It retries nothing."""

    def __init__(self, watchdog: Watchdog) -> None:
        self._pools = _pools(watchdog)
        super().__init__(pool_connections=1, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **options: Any) -> None:
        """Make the pools of watched connections."""
        super().init_poolmanager(*args, **options)
        self.poolmanager.pool_classes_by_scheme = self._pools

    def proxy_manager_for(self, *args: Any, **options: Any) -> Any:
        """Make those behind a proxy, too."""
        manager = super().proxy_manager_for(*args, **options)
        manager.pool_classes_by_scheme = self._pools
        return manager


class _Shelf:
    """Where a pool keeps its connections: a queue for one thread, without a lock.

    Ctrl-C may come when a lock was just taken, and nobody frees that any more: the requests of the
    clean-up would wait for it for ever.
    """

    def __init__(self, maxsize: int = 0) -> None:
        self._size = maxsize
        self._items: list[Any] = []

    def get(self, block: bool = True, timeout: float | None = None) -> Any:  # noqa: ARG002 - as urllib3 calls it
        try:
            return self._items.pop()
        except IndexError:
            raise queue.Empty from None

    def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:  # noqa: ARG002 - as urllib3 calls it
        if len(self._items) >= self._size:
            raise queue.Full
        self._items.append(item)

    def qsize(self) -> int:
        return len(self._items)


def _pools(watchdog: Watchdog) -> dict[str, type]:
    class Plain(HTTPConnection):
        def connect(self) -> None:
            watchdog.watch(self)
            super().connect()

        def request(self, *args: Any, **options: Any) -> None:
            watchdog.watch(self)
            super().request(*args, **options)

    class Secure(HTTPSConnection):
        def connect(self) -> None:
            watchdog.watch(self)
            super().connect()

        def request(self, *args: Any, **options: Any) -> None:
            watchdog.watch(self)
            super().request(*args, **options)

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = Plain
        QueueCls = _Shelf  # type: ignore[assignment]

    class SecurePool(HTTPSConnectionPool):
        ConnectionCls = Secure
        QueueCls = _Shelf  # type: ignore[assignment]

    return {"http": PlainPool, "https": SecurePool}
