"""HTTP for devices: one pool of connections for as many of them as there are.

urllib3 and threads: decision 0010 has what was measured. Redirects are never followed, and a token
goes to its server only.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from fotabuild.addresses import is_loopback
from fotabuild.errors import SimulationError, UsageError
from fotabuild.simulation.deadline import timed_pools
from fotabuild.simulation.events import Failure

if TYPE_CHECKING:
    from urllib3 import BaseHTTPResponse, PoolManager

CONNECT_TIMEOUT = 10.0
READ_TIMEOUT = 30.0
_RETRY_STATUSES = {408, 425, 429, 500, 502, 503, 504}
_LONGEST_PAUSE = 120.0
_ANSWER_LIMIT = 256 * 1024


def make_pool(connections: int = 1, ca_file: Path | None = None) -> PoolManager:
    """Return connections to be shared.

    Args:
        connections: how many are kept open; more may be opened.
        ca_file: certificates to trust instead of the system's.

    Raises:
        SimulationError: the certificates cannot be read.
    """
    import ssl

    import urllib3

    try:
        context = ssl.create_default_context(cafile=ca_file)
    except (OSError, ssl.SSLError) as error:
        raise SimulationError(f"cannot use these certificates: {error}", file=ca_file) from None
    timeout = urllib3.Timeout(connect=CONNECT_TIMEOUT, read=READ_TIMEOUT)
    pool = urllib3.PoolManager(
        maxsize=connections, ssl_context=context, timeout=timeout, retries=False
    )
    pool.pool_classes_by_scheme = timed_pools()
    return pool


def checked_server(url: str, *, allow_http: bool = False) -> str:
    """Return the URL of a server without a slash at its end.

    Raises:
        UsageError: it is no URL, or would send tokens over the network in clear text.
    """
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        usable = parts.scheme in ("http", "https") and host and not (parts.query or parts.fragment)
        usable = usable and parts.username is None and parts.port != 0
    except ValueError:
        usable = False
    if not usable or not url.isascii() or not url.isprintable():
        raise UsageError("--server needs a URL, such as http://127.0.0.1:8080")
    if parts.scheme == "http" and not allow_http and not is_loopback(host):
        raise UsageError(
            f"http to {host} would show the device's token to the network; use https, "
            "or --allow-insecure-http"
        )
    return url.rstrip("/")


@dataclass(frozen=True)
class Answer:
    """A whole answer of the server.

    Attributes:
        status: HTTP status.
        headers: by lower-case name.
        body: at most a quarter of a mebibyte.
    """

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def worth_another_try(self) -> bool:
        """Whether the same request may succeed later."""
        return worth_another_try(self.status)


def worth_another_try(status: int) -> bool:
    """Whether a request that got this status may succeed later."""
    return status in _RETRY_STATUSES


def pause_before_retry(headers: dict[str, str], attempt: int) -> float:
    """Return the seconds to wait: what the server asks for, else twice as long each time."""
    asked = headers.get("retry-after", "")
    if asked.isascii() and asked.isdigit() and len(asked) < 6:
        return min(float(asked), _LONGEST_PAUSE)
    return min(0.25 * 2.0 ** min(attempt, 10), 30.0)


def lower_headers(response: BaseHTTPResponse) -> dict[str, str]:
    """Return the headers by lower-case name."""
    return {name.lower(): value for name, value in response.headers.items()}


def read_answer(response: BaseHTTPResponse) -> Answer:
    """Read an answer to its end, or to the limit.

    Raises:
        urllib3.exceptions.HTTPError: the connection is cut.
        SimulationError: the answer is too long.
    """
    body = response.read(_ANSWER_LIMIT + 1, decode_content=False)
    if len(body) > _ANSWER_LIMIT:
        response.close()
        raise SimulationError(f"the server's answer is longer than {_ANSWER_LIMIT} bytes")
    response.release_conn()
    return Answer(response.status, lower_headers(response), body)


def explain(error: Exception) -> tuple[Failure, str]:
    """Return what a device reports of a connection that failed, and why in a few words."""
    from urllib3 import exceptions

    reason = getattr(error, "reason", None)
    if isinstance(reason, Exception):
        error = reason
    # Kinds that are special cases of others come first.
    for kind, failure, text in (
        (exceptions.NameResolutionError, Failure.DOWNLOAD_NAME, "no such host"),
        (exceptions.NewConnectionError, Failure.DOWNLOAD_CONNECT, "connection refused"),
        (exceptions.ConnectTimeoutError, Failure.DOWNLOAD_TIMEOUT, "no answer to a connection"),
        (exceptions.ReadTimeoutError, Failure.DOWNLOAD_TIMEOUT, "no answer in time"),
        (exceptions.SSLError, Failure.DOWNLOAD_CONNECT, "the certificate or TLS is not right"),
        (exceptions.LocationValueError, Failure.URL_INVALID, "not a URL to connect to"),
        (exceptions.ProtocolError, Failure.DOWNLOAD_LOST, "connection lost"),
    ):
        if isinstance(error, kind):
            return failure, text
    return Failure.DOWNLOAD_NETWORK, type(error).__name__
