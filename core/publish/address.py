"""The address of a service, and why some are refused."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import urlsplit

from fotabuild.addresses import is_loopback
from fotabuild.errors import DestinationError


@dataclass(frozen=True)
class ServiceAddress:
    """Where a service is.

    Attributes:
        url: scheme, host, port and path prefix, without a slash at the end.
        loopback: whether it is this machine.
    """

    url: str
    loopback: bool

    @classmethod
    def parse(cls, text: str) -> ServiceAddress:
        """Read a URL.

        Raises:
            DestinationError: no ``http(s)`` URL of a host, one with a password or query, or
                ``http`` to another machine: the access key would travel in the open.
        """
        try:
            parts = urlsplit(text)
            host, port = parts.hostname, parts.port
        except ValueError:
            raise DestinationError("this is not a URL") from None
        if parts.username is not None or parts.password is not None:
            raise DestinationError(
                f"the URL of {host} holds a user name or a password",
                remedy="remove it; the access key has a place of its own, publish.access-key",
            )
        if parts.scheme not in ("http", "https") or not host or not text.isascii():
            raise DestinationError(f"{text!r} is not the URL of a service", remedy=_EXAMPLES)
        if parts.query or parts.fragment or any(c.isspace() for c in text):
            raise DestinationError(f"the URL of {host} has more than host and path")
        loopback = is_loopback(host)
        if parts.scheme == "http" and not loopback:
            raise DestinationError(
                f"http to {host} would show the access key to everyone on the way",
                remedy="use https; http is for services on this machine",
            )
        name = f"[{host}]" if ":" in host else host
        port_text = "" if port is None else f":{port}"
        return cls(f"{parts.scheme}://{name}{port_text}{parts.path.rstrip('/')}", loopback)

    def join(self, path: str) -> str:
        """Return the URL of an API path; a prefix in the address stays, for gateways."""
        return self.url + path


_EXAMPLES = "write one like https://api.us-east-1.mbedcloud.com or http://127.0.0.1:8080"
