"""Names that a web site could give to this machine reach nothing on loopback."""

from __future__ import annotations

import socket

import pytest

from .harness import Running, registration, running

EVIL = {"Host": "evil.example:8000"}


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/device/v1/register"), ("DELETE", "/device/v1/register"),
        ("GET", "/device/v1/update"), ("POST", "/device/v1/report"), ("GET", "/v3/devices"),
        ("GET", "/files/x/y"), ("GET", "/"), ("GET", "/login"), ("GET", "/static/style.css"),
        ("GET", "/nothing"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("private", [False, True])
def test_every_route_looks_at_the_name(method: str, path: str, private: bool) -> None:
    with running(private=private) as server:
        values = registration("one") if method == "POST" else None
        assert server.client(method, path, headers=EVIL, values=values).status == 421
        assert server.client.good("GET", "/v3/devices").json["data"] == []


def test_the_public_name_is_ours() -> None:
    with running() as server:
        object.__setattr__(server.service.settings, "public_url", "https://updates.example:99")
        for host in ("updates.example", "UPDATES.example:99", "localhost:1", "127.0.0.1", "[::1]"):
            answer = server.anybody(
                "POST", "/device/v1/register", headers={"Host": host}, values=registration(host)
            )
            assert answer.status == 201


def test_on_the_network_any_name_may_lead_here() -> None:
    with running(loopback=False) as server:
        answer = server.anybody(
            "POST", "/device/v1/register", headers=EVIL, values=registration("one")
        )
        assert answer.status == 201


def test_a_request_of_old_without_a_name(server: Running) -> None:
    token = server.device().client.key
    with socket.create_connection(("127.0.0.1", server.port), 10) as connection:
        head = f"GET /device/v1/update HTTP/1.0\r\nAuthorization: Bearer {token}\r\n\r\n"
        connection.sendall(head.encode())
        assert connection.recv(100).startswith(b"HTTP/1.1 421")
