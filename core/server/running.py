"""A server that listens, until it is told to stop."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
import socket
import ssl
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from starlette.types import ASGIApp

from fotabuild.errors import ServerError, UsageError
from fotabuild.server.limits import ServerLimits
from fotabuild.server.protocol import make_protocol
from fotabuild.server.service import Service

_GRACE_SECONDS = 5
_KEEP_ALIVE_SECONDS = 20
_BACKLOG = 4096


@dataclass(frozen=True, kw_only=True)
class Address:
    """Where a server listens.

    Attributes:
        host: an IP address or a name.
        port: the port; 0 lets the system choose.
        certificate: PEM file of the chain for TLS, or None for plain HTTP.
        key: PEM file of its key.
    """

    host: str
    port: int
    certificate: Path | None = None
    key: Path | None = None


def listen(address: Address) -> socket.socket:
    """Return a socket that is bound.

    Raises:
        ServerError: the address is used or not ours.
    """
    try:
        family, kind, _, _, where = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        found = socket.socket(family, kind)
    except OSError as error:
        raise ServerError(f"{address.host!r} is no address: {error.strerror or error}") from None
    try:
        if hasattr(socket, "SO_REUSEADDR") and not hasattr(socket, "SO_EXCLUSIVEADDRUSE"):
            found.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        found.bind(where)
    except OSError as error:
        found.close()
        raise ServerError(
            f"cannot listen on {address.host} port {address.port}: {error.strerror or error}",
            remedy="choose another port with --port; 0 takes a free one",
        ) from None
    return found


def url_of(address: Address, listener: socket.socket) -> str:
    """Return the URL of a bound socket."""
    scheme = "http" if address.certificate is None else "https"
    host = f"[{address.host}]" if ":" in address.host else address.host
    return f"{scheme}://{host}:{listener.getsockname()[1]}"


class _Server(uvicorn.Server):
    """uvicorn, with our signals, and a word when it is ready."""

    def __init__(self, config: uvicorn.Config, service: Service, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self._service, self._ready = service, ready
        self.received: int | None = None

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Take over SIGINT and SIGTERM; uvicorn would raise them again at the end."""
        loop = asyncio.get_running_loop()
        numbers = (signal.SIGINT, signal.SIGTERM)
        before = {}
        for number in numbers:
            before[number] = signal.signal(
                number, lambda found, _: loop.call_soon_threadsafe(self._stop, found)
            )
        # A signal must wake the loop even while nothing happens.
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)

    def _stop(self, number: int) -> None:
        self.force_exit = self.received is not None
        self.received = number
        self.should_exit = True
        self._service.waiters.close()


def serve(
    app: ASGIApp,
    service: Service,
    listener: socket.socket,
    address: Address,
    ready: Callable[[], None],
) -> int | None:
    """Serve until a signal comes; return its number.

    Args:
        app: the application.
        service: its service.
        listener: the bound socket.
        address: certificate and key, if any.
        ready: called once requests are answered.

    Raises:
        UsageError: certificate or key cannot be used.
    """
    _raise_file_limit(service.limits)
    config = make_config(app, service, address)
    try:
        config.load()
    except (OSError, ssl.SSLError) as error:
        raise UsageError(f"certificate or key for TLS cannot be used: {error}") from None
    server = _Server(config, service, ready)
    asyncio.run(server.serve(sockets=[listener]))
    return server.received


def make_config(app: ASGIApp, service: Service, address: Address) -> uvicorn.Config:
    """Return how uvicorn runs an application: with limits, without signs and logs of its own."""
    return uvicorn.Config(
        app,
        http=make_protocol(service.limits),
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        backlog=_BACKLOG,
        limit_concurrency=service.limits.connections,
        timeout_keep_alive=_KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=_GRACE_SECONDS,
        h11_max_incomplete_event_size=service.limits.header_bytes,
        ssl_certfile=address.certificate,
        ssl_keyfile=address.key,
    )


def _raise_file_limit(limits: ServerLimits) -> None:
    """Allow as many open files as connections may come, as far as the system lets us."""
    try:
        import resource
    except ImportError:  # Windows has no such limit.
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = limits.connections + 256
    if hard != resource.RLIM_INFINITY:
        wanted = min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with contextlib.suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    logging.getLogger("fotabuild.server").debug("up to %d open files", wanted)
