"""What ``fotabuild serve`` does, from its options to the end of the server."""

from __future__ import annotations

import contextlib
import logging
import signal
import socket
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from fotabuild.addresses import is_loopback, is_unspecified
from fotabuild.errors import ExitStatus, UsageError
from fotabuild.server.access import token_hash
from fotabuild.server.app import make_app
from fotabuild.server.data_folder import DataFolder, enrolment_token, make_first_key
from fotabuild.server.limits import parse_limits
from fotabuild.server.running import Address, listen, serve, url_of
from fotabuild.server.service import Service
from fotabuild.server.settings import ServerSettings

Say = Callable[[str], None]
#: Called with the public URL, the file of a new access key, and the port.
Ready = Callable[[str, "Path | None", int], None]


@dataclass(frozen=True, kw_only=True)
class Wishes:
    """What the command line asks for.

    Attributes:
        data: the data folder.
        host: address to listen on.
        port: port to listen on.
        public_url: how devices reach the server, or None.
        tls_cert: certificate chain, or None.
        tls_key: its key, or None.
        allow_network: others than this machine may reach it.
        private: pages need a login.
        enrolment_file: file with the token for new devices, or None.
        quota: device updates that may be made, or None.
        rate_limit: requests a minute and key, or None.
        keep_used: refuse to delete what a running campaign uses.
        limits: ``NAME=NUMBER``.
    """

    data: Path
    host: str
    port: int
    public_url: str | None
    tls_cert: Path | None
    tls_key: Path | None
    allow_network: bool
    private: bool
    enrolment_file: Path | None
    quota: int | None
    rate_limit: int | None
    keep_used: bool
    limits: tuple[str, ...]


def run_server(wishes: Wishes, say: Say, warn: Say, ready: Ready, *, quiet: bool) -> int:
    """Run the server and return the exit status.

    Raises:
        UsageError: wishes that exclude each other.
        ServerError: the data folder or the address cannot be used.
    """
    loopback = is_loopback(wishes.host)
    if not loopback and not wishes.allow_network:
        raise UsageError(
            f"{wishes.host} is not a loopback address: others could reach the server",
            remedy="add --allow-network if that is what you want",
        )
    limits = parse_limits(wishes.limits)
    public_url = wishes.public_url and _public_url(wishes.public_url)
    address = Address(
        host=wishes.host, port=wishes.port, certificate=wishes.tls_cert, key=wishes.tls_key
    )
    with (
        _logging_to_stderr(quiet=quiet),
        DataFolder(wishes.data) as folder,
        listen(address) as listener,
    ):
        if public_url is None:
            public_url = _own_url(address, listener)
        if not loopback and address.certificate is None and public_url.startswith("http:"):
            warn("without TLS, everybody on the way sees access keys; see --tls-cert")
        enrolment = enrolment_token(wishes.enrolment_file, None if loopback else folder.path)
        settings = ServerSettings(
            public_url=public_url,
            limits=limits,
            private=wishes.private,
            loopback=loopback,
            enrolment_hash=None if enrolment is None else token_hash(enrolment[0]),
            quota=wishes.quota,
            keep_used=wishes.keep_used,
            requests_per_minute=wishes.rate_limit,
        )
        service = Service(settings, folder.path)
        try:
            key_file = _first_key(service, folder.path, say)
            if enrolment is not None:
                say(f"new devices need the enrolment token in {enrolment[1]}")
            port = listener.getsockname()[1]
            received = serve(
                make_app(service),
                service,
                listener,
                address,
                lambda: ready(settings.public_url, key_file, port),
            )
        finally:
            service.close()
    return ExitStatus.INTERRUPTED if received == signal.SIGINT else ExitStatus.OK


def _first_key(service: Service, folder: Path, say: Say) -> Path | None:
    made = make_first_key(service, folder)
    if made is None:
        return None
    file, token = made
    if sys.stderr.isatty():
        say(f"access key: {token}")
    say(f"access key: made, in {file} (keep it secret)")
    return file


def _own_url(address: Address, listener: socket.socket) -> str:
    """Return the URL of the bound address; it will stand in signed manifests."""
    if is_unspecified(listener.getsockname()[0]):
        raise UsageError(
            f"--host {address.host} is every address of this machine, and none that devices reach",
            remedy="add --public-url with the one that they use, such as http://192.0.2.1:8000",
        )
    return url_of(address, listener)


def _public_url(text: str) -> str:
    try:
        parts = urlsplit(text)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
        usable = usable and not is_unspecified(parts.hostname or "")
    except ValueError:
        usable = False
    if not usable or parts.query or parts.fragment or "@" in parts.netloc or not text.isascii():
        raise UsageError(f"--public-url {text[:80]!r} is not a URL such as http://192.0.2.1:8000")
    return text.rstrip("/")


@contextlib.contextmanager
def _logging_to_stderr(*, quiet: bool) -> Iterator[None]:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(asctime)s %(message)s", "%H:%M:%S"))
    logs = [logging.getLogger(name) for name in ("fotabuild.server", "uvicorn")]
    before = [(log, log.propagate, log.level) for log in logs]
    for log in logs:
        log.addHandler(handler)
        log.propagate = False
        log.setLevel(logging.WARNING if quiet or log.name == "uvicorn" else logging.INFO)
    try:
        yield
    finally:
        for log, propagate, level in before:
            log.removeHandler(handler)
            log.propagate = propagate
            log.setLevel(level)
