"""One HTTP exchange: bounded in time and size, no redirect followed, the key sent to one host."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import requests
import urllib3
from requests.auth import AuthBase

from fotabuild import __version__
from fotabuild.publish.access_key import AccessKey
from fotabuild.publish.address import ServiceAddress
from fotabuild.publish.bodies import FileSlice, Multipart
from fotabuild.publish.pacing import Pacing
from fotabuild.publish.watchdog import Watchdog, WatchedAdapter

Body = bytes | Multipart | FileSlice


@dataclass(frozen=True)
class Request:
    """What to ask.

    Attributes:
        method: the HTTP method.
        path: below the address, with identifiers that were checked.
        query: parameters.
        body: makes the body; called once for each try.
        headers: further headers.
        upload: whether the answer may take as long as an upload's.
    """

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    body: Callable[[], Body] | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    upload: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


@dataclass(frozen=True)
class Answer:
    """What the service said, with the key taken out should it have been repeated."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class LostError(Exception):
    """No answer. ``sent`` says whether the request may have been done all the same.

    Args:
        problem: what happened, for people.
        sent: the service may have received the request.
        final: trying again is of no use.
    """

    def __init__(self, problem: str, *, sent: bool, final: bool = False) -> None:
        super().__init__(problem)
        self.problem = problem
        self.sent = sent
        self.final = final


class _BearerAuth(AuthBase):
    """Sets the header itself, so that an entry in a netrc file does not replace it."""

    def __init__(self, key: AccessKey) -> None:
        self._key = key

    def __call__(self, request: requests.PreparedRequest) -> requests.PreparedRequest:
        request.headers["Authorization"] = self._key.header()
        return request


class Transport:
    """The connection to one service.

    Args:
        address: where it is.
        key: the access key.
        pacing: timeouts and bounds.
    """

    def __init__(self, address: ServiceAddress, key: AccessKey, pacing: Pacing) -> None:
        self.address = address
        self.key = key
        self._pacing = pacing
        self._watchdog = Watchdog()
        self._session = requests.Session()
        # Proxies and certificate bundles of the environment count; a service on this machine is
        # not reached through a proxy, which would get to see the key.
        self._session.trust_env = True
        host = urlsplit(address.url).hostname or ""
        self._proxies = {"no_proxy": host} if address.loopback else None
        adapter = WatchedAdapter(self._watchdog)
        for scheme in ("https://", "http://"):
            self._session.mount(scheme, adapter)
        self._session.auth = _BearerAuth(key)
        self._session.headers.update(
            {
                "User-Agent": f"fotabuild/{__version__}",
                "Accept": "application/json",
                # An answer that unfolds to gigabytes is not asked for.
                "Accept-Encoding": "identity",
            }
        )

    def close(self) -> None:
        """Close the connection."""
        self._session.close()

    def exchange(self, request: Request) -> Answer:
        """Ask once.

        Raises:
            LostError: no complete answer.
            FileError: a file to send cannot be read.
        """
        body = request.body() if request.body is not None else None
        size = 0 if body is None else len(body)
        pacing = self._pacing
        seconds = pacing.exchange + size / pacing.slowest
        if request.upload:
            seconds += pacing.upload_read
        headers = dict(request.headers)
        if isinstance(body, Multipart):
            headers["Content-Type"] = body.content_type
        if body is None and request.method != "GET":
            headers["Content-Length"] = "0"
        try:
            with (
                self._watchdog.limit(seconds),
                self._session.request(
                    request.method,
                    self.address.join(request.path),
                    params=dict(request.query),
                    data=body,
                    headers=headers,
                    proxies=self._proxies,
                    timeout=(pacing.connect, pacing.upload_read if request.upload else pacing.read),
                    allow_redirects=False,
                    stream=True,
                ) as response,
            ):
                data = self._read(response)
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise self._lost(error, seconds) from None
        finally:
            if body is not None and not isinstance(body, bytes):
                body.close()
        hide = self.key.hide
        shown = {name.lower(): hide(value) for name, value in response.headers.items()}
        return Answer(response.status_code, shown, self.key.hide_bytes(data))

    def _read(self, response: requests.Response) -> bytes:
        limit = self._pacing.answer
        data = bytearray()
        expected = response.raw.length_remaining
        while piece := response.raw.read(min(64 * 1024, limit + 1 - len(data))):
            data += piece
            if len(data) > limit:
                raise LostError(f"the answer has more than {limit} bytes", sent=True)
        if self._watchdog.bitten or (expected is not None and len(data) != expected):
            raise LostError("the answer was cut off", sent=True)
        response.raw.release_conn()  # It is read to its end, and good for the next request.
        return bytes(data)

    def _lost(self, error: Exception, seconds: float) -> LostError:
        if self._watchdog.bitten:
            return LostError(f"no complete answer within {seconds:.0f} seconds", sent=True)
        chain = _chain(error)
        for link in chain:
            if isinstance(link, ssl.SSLCertVerificationError):
                reason = self.key.hide(link.verify_message or link.reason or "refused")
                return LostError(
                    f"the certificate of the service is not trusted: {reason}",
                    sent=False,
                    final=True,
                )
        if any(isinstance(link, requests.ReadTimeout) for link in chain):
            return LostError("the service is silent", sent=True)
        not_sent = (
            requests.ConnectTimeout,
            urllib3.exceptions.NewConnectionError,
            urllib3.exceptions.ConnectTimeoutError,
        )
        sent = not any(isinstance(link, not_sent) for link in chain)
        for link in chain:
            if isinstance(link, OSError) and isinstance(link.strerror, str) and link.strerror:
                return LostError(self.key.hide(link.strerror).lower(), sent=sent)
        if isinstance(error, OSError) and not isinstance(error, requests.RequestException):
            # A certificate bundle named in the environment that does not exist.
            return LostError(self.key.hide(str(error)), sent=False, final=True)
        if isinstance(error, (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema)):
            return LostError("the URL cannot be used", sent=False, final=True)
        return LostError("cannot connect" if not sent else "the connection broke", sent=sent)


def _chain(error: BaseException) -> list[BaseException]:
    """Return an error and all that it was made from."""
    found: list[BaseException] = []
    waiting: list[object] = [error]
    while waiting and len(found) < 20:
        link = waiting.pop(0)
        if not isinstance(link, BaseException) or link in found:
            continue
        found.append(link)
        waiting += [*link.args, link.__cause__, link.__context__, getattr(link, "reason", None)]
    return found
