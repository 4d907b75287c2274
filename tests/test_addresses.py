"""Which addresses are this machine alone."""

from __future__ import annotations

import pytest

from fotabuild.addresses import is_loopback, is_unspecified


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST", "127.0.0.1", "127.9.9.9", "::1", "::ffff:127.0.0.1"]
)
def test_this_machine(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host",
    [
        "", "0.0.0.0", "::", "192.0.2.1", "localhost.example", "127.0.0.1.example", "127.1",
        "::ffff:192.0.2.1", "1::1", "[::1]", "local host",
    ],
)  # fmt: skip
def test_others(host: str) -> None:
    assert not is_loopback(host)


def test_every_address() -> None:
    assert [is_unspecified(host) for host in ("0.0.0.0", "::", "0::0", "::ffff:0.0.0.0")] == [
        True, True, True, True,
    ]  # fmt: skip
    assert not any(is_unspecified(host) for host in ("127.0.0.1", "::1", "0.0.0.1", "example"))
