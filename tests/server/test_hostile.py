"""Requests that no honest client sends are answered or cut off, and the next one is served."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator

import pytest

from fotabuild.server.limits import ServerLimits

from .harness import Running, make_form, running, wait_until

LIMITS = ServerLimits(image=100_000, drain=300_000, header_bytes=8192, headers=40, idle=1)


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    with running(limits=LIMITS) as found:
        yield found


@pytest.fixture(autouse=True)
def still_alive(shared: Running) -> Iterator[None]:
    yield
    assert shared.client("GET", "/v3/api-keys/me").status == 200
    assert shared.client.good("GET", "/v3/firmware-images").json["data"] == []
    wait_until(lambda: list(shared.service.blobs._incoming.iterdir()) == [], "nothing left over")


def send(server: Running, data: bytes, *, half_close: bool = False) -> bytes:
    """Send bytes and return what comes back until the server closes the connection."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=30) as connection:
        try:
            connection.sendall(data)
            if half_close:
                connection.shutdown(socket.SHUT_WR)
        except OSError:
            pass
        received = b""
        try:
            while piece := connection.recv(65536):
                received += piece
        except ConnectionError:
            pass
        return received


def head(server: Running, method: str, path: str, *lines: str) -> bytes:
    fixed = [
        f"{method} {path} HTTP/1.1",
        "Host: 127.0.0.1",
        f"Authorization: Bearer {server.client.key}",
    ]
    return "\r\n".join([*fixed, *lines, "", ""]).encode()


@pytest.mark.parametrize(
    "data",
    [
        b"\r\n\r\n",
        b"GET\r\n\r\n",
        b"\x00" * 1000,
        b"\x16\x03\x01\x02\x00\x01\x00",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET / HTTP/1.1\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost : a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: \x00\r\n\r\n",
        b"POST /v3/firmware-images HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"POST /v3/firmware-images HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n",
        b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"GET /" + b"a" * 20_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n",
        b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"a" * 20_000 + b"\r\n\r\n",
    ],
)
def test_no_http(shared: Running, data: bytes) -> None:
    answer = send(shared, data, half_close=True)
    assert answer == b"" or answer.startswith(b"HTTP/1.1 4"), answer[:100]


def test_too_many_headers(shared: Running) -> None:
    lines = [f"X-{number}: y" for number in range(60)]
    answer = send(shared, head(shared, "GET", "/v3/api-keys/me", *lines, "Connection: close"))
    assert answer.startswith(b"HTTP/1.1 431")


@pytest.mark.parametrize(
    "path",
    [
        "//",
        "/v3//firmware-images",
        "/..",
        "/%2e%2e/%2e%2e/etc/passwd",
        "/v3/\u00e9",
        "/?" + "a=b&" * 900,
        "/v3/firmware-images/%FF%FE",
    ],
)
def test_odd_paths(shared: Running, path: str) -> None:
    answer = send(
        shared, head(shared, "GET", path, "Connection: close").replace(b"\xc3\xa9", b"\xe9")
    )
    assert answer.split(b" ")[1:2] in ([b"404"], [b"400"], [b"200"]), answer[:200]
    assert b"root:" not in answer


def test_a_body_far_above_the_limit_is_answered_before_it_is_sent(shared: Running) -> None:
    request = head(
        shared, "POST", "/v3/firmware-images", "Content-Length: 99999999999",
        "Content-Type: multipart/form-data; boundary=x",
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", shared.port), timeout=30) as connection:
        connection.sendall(request)
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")
    assert b"connection: close" in answer.lower()


def test_a_body_that_never_ends(shared: Running) -> None:
    """Chunks without an end: read up to the limit and a bounded rest, then cut off."""
    request = head(
        shared, "POST", "/v3/firmware-images", "Transfer-Encoding: chunked",
        "Content-Type: multipart/form-data; boundary=x",
    )  # fmt: skip
    sent = 0
    with socket.create_connection(("127.0.0.1", shared.port), timeout=30) as connection:
        connection.sendall(request)
        piece = b"2000\r\n" + b"a" * 0x2000 + b"\r\n"
        try:
            while sent < 100_000_000:
                connection.sendall(piece)
                sent += len(piece)
        except OSError:
            pass
    assert sent < 20_000_000


def test_a_client_that_hangs_up_in_the_middle(shared: Running) -> None:
    body, kind = make_form({"name": "x"}, {"datafile": ("f", bytes(50_000))})
    request = head(
        shared, "POST", "/v3/firmware-images", f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
    )  # fmt: skip
    incoming = shared.service.blobs._incoming
    for size in (0, 10, 100, 200, 300, 25_000, len(body) - 1):
        with socket.create_connection(("127.0.0.1", shared.port), timeout=30) as connection:
            connection.sendall(request + body[:size])
            if size >= 25_000:
                wait_until(lambda: len(list(incoming.iterdir())) == 1, "the file is being received")
        wait_until(lambda: list(incoming.iterdir()) == [], "its file is gone")
        assert shared.client("GET", "/v3/api-keys/me").status == 200
    assert shared.client.good("GET", "/v3/firmware-images").json["data"] == []


def test_a_client_that_stops_sending_is_let_go(shared: Running) -> None:
    body, kind = make_form({"name": "x"}, {"datafile": ("f", bytes(50_000))})
    request = head(
        shared, "POST", "/v3/firmware-images", f"Content-Type: {kind}",
        f"Content-Length: {len(body)}",
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", shared.port), timeout=30) as connection:
        connection.sendall(request + body[:20_000])
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 408")


def test_expect_continue_is_refused_without_asking_for_the_body(shared: Running) -> None:
    request = head(
        shared, "POST", "/v3/firmware-images", "Content-Length: 200000", "Expect: 100-continue",
        "Content-Type: multipart/form-data; boundary=x",
    )  # fmt: skip
    with socket.create_connection(("127.0.0.1", shared.port), timeout=30) as connection:
        connection.sendall(request)
        answer = connection.recv(65536)
    assert answer.startswith(b"HTTP/1.1 413")


def test_too_many_connections() -> None:
    with running(limits=ServerLimits(connections=8)) as server:
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(10)]
        try:
            answers = []
            for _ in range(20):
                with socket.create_connection(("127.0.0.1", server.port), timeout=10) as one:
                    one.sendall(head(server, "GET", "/v3/api-keys/me", "Connection: close"))
                    answers.append(one.recv(65536)[:12])
            assert b"HTTP/1.1 503" in answers
        finally:
            for connection in idle:
                connection.close()

        def served() -> bool:
            with socket.create_connection(("127.0.0.1", server.port), timeout=10) as one:
                one.sendall(head(server, "GET", "/v3/api-keys/me", "Connection: close"))
                return one.recv(65536).startswith(b"HTTP/1.1 200")

        wait_until(served, "room again")


def test_uploads_at_once_while_others_are_refused(shared: Running) -> None:
    statuses: list[int] = []

    def refused() -> None:
        answer = shared.client.post_form(
            "/v3/firmware-images", {"name": "x"}, {"datafile": ("f", bytes(120_000))}
        )
        statuses.append(answer.status)

    threads = [threading.Thread(target=refused) for _ in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert statuses == [413] * 12
