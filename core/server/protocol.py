"""Connections that say nothing are let go, and no peer gets all places.

uvicorn bounds what a request holds and how long a connection rests between two requests. How long
the head of a request may take, and how many connections one peer has, are bounded here.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections import Counter
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from fotabuild.server.limits import ServerLimits
from fotabuild.server.refusal import Refusal


def make_protocol(limits: ServerLimits) -> type[H11Protocol]:
    """Return the protocol of one server; it counts that server's connections."""
    peers: Counter[str] = Counter()

    class Protocol(_Protocol):
        pass

    Protocol.limits, Protocol.peers = limits, peers
    return Protocol


def peer_of(client: tuple[str, int] | None) -> str:
    """Return what counts as one peer: an IPv4 address, or 64 bits of IPv6, a network of its own."""
    host = client[0].partition("%")[0] if client is not None else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return ""
    if isinstance(address, ipaddress.IPv4Address):
        return host
    if address.ipv4_mapped is not None:
        return str(address.ipv4_mapped)
    return str(ipaddress.ip_network((address, 64), strict=False))


class _Protocol(H11Protocol):
    limits: ServerLimits
    peers: Counter[str]

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._head_timer: asyncio.TimerHandle | None = None
        self._peer: str | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._peer = peer_of(self.client)
        self.peers[self._peer] += 1
        if self.peers[self._peer] > self.limits.peer_connections:
            self._turn_away(Refusal(503, "there are too many connections from your address"))
        else:
            self._watch_head()

    def data_received(self, data: bytes) -> None:
        if self.transport.is_closing():
            return
        super().data_received(data)
        self._watch_head()

    def connection_lost(self, exc: Exception | None) -> None:
        self._cancel()
        if self._peer is not None:
            self.peers[self._peer] -= 1
            if not self.peers[self._peer]:
                del self.peers[self._peer]
            self._peer = None
        super().connection_lost(exc)

    def _watch_head(self) -> None:
        """Keep a timer while a head is awaited; bytes that arrive do not extend it."""
        if self.conn.their_state is not h11.IDLE or self.transport.is_closing():
            self._cancel()
        elif self._head_timer is None:
            self._head_timer = self.loop.call_later(self.limits.head, self._late)

    def _cancel(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _late(self) -> None:
        self._head_timer = None
        # A request that came meanwhile behind another one has its head.
        if self.conn.their_state is h11.IDLE and not self.transport.is_closing():
            self._turn_away(Refusal(408, "the head of the request did not arrive in time"))

    def _turn_away(self, refusal: Refusal) -> None:
        body = json.dumps(refusal.body()).encode()
        headers = [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
            (b"connection", b"close"),
        ]
        for event in (
            h11.Response(status_code=refusal.status, headers=headers),
            h11.Data(data=body),
            # Whoever shuts the server down now finds nothing half done.
            h11.EndOfMessage(),
        ):
            self.transport.write(self.conn.send(event) or b"")
        self.transport.close()
