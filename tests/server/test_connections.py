"""Connections that keep a place and say nothing are let go, and none has all places."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import time
from contextlib import ExitStack

import pytest
import uvicorn
from uvicorn.server import ServerState

from fotabuild.server.limits import ServerLimits
from fotabuild.server.protocol import make_protocol, peer_of

from .harness import Running, running, wait_until

HALF = b"GET / HTTP/1.1\r\n"


def connect(server: Running, source: str = "127.0.0.1") -> socket.socket:
    return socket.create_connection(("127.0.0.1", server.port), 20, (source, 0))


def rest(connection: socket.socket) -> bytes:
    """What comes until the server closes."""
    received = b""
    try:
        while piece := connection.recv(65536):
            received += piece
    except ConnectionError:
        pass
    return received


def request(server: Running, more: str = "Connection: close\r\n") -> bytes:
    lines = f"GET /v3/api-keys/me HTTP/1.1\r\nHost: localhost\r\n{more}"
    return f"{lines}Authorization: Bearer {server.client.key}\r\n\r\n".encode()


def ask(server: Running, source: str = "127.0.0.1") -> bytes:
    with connect(server, source) as connection:
        connection.sendall(request(server))
        return rest(connection)


@pytest.mark.parametrize("sent", [b"", HALF])
def test_idle_connections_lock_nobody_out(sent: bytes) -> None:
    with running(limits=ServerLimits(connections=8, head=1)) as server, ExitStack() as stack:
        idle = [stack.enter_context(connect(server)) for _ in range(20)]
        for connection in idle:
            connection.sendall(sent)
        wait_until(lambda: ask(server).startswith(b"HTTP/1.1 200"), "room again")
        answers = [rest(connection) for connection in idle]
        for answer in answers:
            head, _, body = answer.partition(b"\r\n\r\n")
            assert head.startswith(b"HTTP/1.1 408")
            assert b"connection: close" in head.lower()
            assert json.loads(body)["type"] == "request_timeout"


def test_a_head_that_comes_byte_by_byte_has_the_same_time() -> None:
    with running(limits=ServerLimits(head=1)) as server, connect(server) as connection:
        start = time.monotonic()
        connection.settimeout(0.05)
        connection.sendall(HALF)
        received = b""
        while not received:
            assert time.monotonic() - start < 15
            connection.sendall(b"X")
            try:
                received = connection.recv(100)
            except TimeoutError:
                continue
        assert received.startswith(b"HTTP/1.1 408")


def test_the_second_request_of_a_connection_has_a_time_too() -> None:
    with running(limits=ServerLimits(head=1)) as server, connect(server) as connection:
        connection.sendall(request(server, ""))
        assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        start = time.monotonic()
        connection.sendall(HALF)
        answer = rest(connection)
        assert b"HTTP/1.1 408" in answer
        assert 0.9 <= time.monotonic() - start < 15


def test_the_time_of_a_head_is_not_that_of_its_answer() -> None:
    with running(limits=ServerLimits(head=1)) as server:
        assert server.device().poll(wait=3).status == 204


def test_one_peer_leaves_room_for_others() -> None:
    with running(limits=ServerLimits(peer_connections=4)) as server, ExitStack() as stack:
        held = [stack.enter_context(connect(server)) for _ in range(4)]
        for connection in held:
            connection.sendall(request(server, ""))
            assert connection.recv(65536).startswith(b"HTTP/1.1 200")
        with connect(server) as one_more:
            assert rest(one_more).startswith(b"HTTP/1.1 503")
        assert ask(server, "127.0.0.2").startswith(b"HTTP/1.1 200")
        held[0].close()
        wait_until(lambda: ask(server).startswith(b"HTTP/1.1 200"), "its place is free")


class Unread(asyncio.Transport):
    """A connection whose other end takes nothing: what was written stays, and so does it."""

    def __init__(self) -> None:
        super().__init__({"peername": ("127.0.0.1", 1), "sockname": ("127.0.0.1", 2)})
        self.closing = False

    def is_closing(self) -> bool:
        return self.closing

    def write(self, data: bytes | bytearray | memoryview) -> None:
        pass

    def close(self) -> None:
        self.closing = True


def test_the_server_stops_while_somebody_is_turned_away() -> None:
    config = uvicorn.Config(lambda: None, loop="none", lifespan="off")
    config.load()
    protocol = make_protocol(ServerLimits(peer_connections=1))
    transports = Unread(), Unread()
    with contextlib.closing(asyncio.new_event_loop()) as loop:
        first, second = (protocol(config, ServerState(), {}, loop) for _ in transports)
        first.connection_made(transports[0])
        second.connection_made(transports[1])
        assert [one.closing for one in transports] == [False, True]
        first.shutdown()
        second.shutdown()
    assert all(one.closing for one in transports)


def test_peers() -> None:
    assert peer_of(("192.0.2.1", 1)) == peer_of(("192.0.2.1", 2)) != peer_of(("192.0.2.2", 1))
    # A network of 64 bits is one peer: it can take any address in there.
    assert peer_of(("2001:db8::1", 1)) == peer_of(("2001:db8::2", 1)) != peer_of(("2001:db9::1", 1))
    assert peer_of(("::ffff:192.0.2.1", 1)) == peer_of(("192.0.2.1", 1))
    assert peer_of(("fe80::1%eth0", 1)) == peer_of(("fe80::2%eth0", 1))
    assert peer_of(None) == peer_of(("a socket", 0)) == ""
