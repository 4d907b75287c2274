"""Bounds on everything that the server takes, in one place; each can be set at the start."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable
from dataclasses import dataclass

from fotabuild.errors import UsageError


@dataclass(frozen=True)
class ServerLimits:
    """Largest sizes in bytes, counts and times (device-management-api, sections 1 and 5.1).

    Attributes:
        image: a payload in one request.
        chunk_min: every chunk of an upload job but the last.
        chunk_max: a chunk of an upload job.
        job: all chunks of an upload job together.
        encrypted: a payload that the server encrypts; it is held in memory meanwhile.
        manifest: a manifest.
        images: how many images are kept.
        manifests: how many manifests are kept.
        campaigns: how many campaigns are kept.
        jobs: how many upload jobs are kept.
        chunks: how many chunks an upload job has.
        devices: how many devices are registered.
        keys: how many access keys are kept.
        name: characters of a name.
        description: characters of a description.
        image_file_name: characters of the file name of an image.
        manifest_file_name: characters of the file name of a manifest.
        json: a JSON body.
        json_depth: nesting of a JSON body.
        filter: characters of a filter.
        filter_terms: terms of a filter.
        page: items on a page of a list.
        headers: how many headers a request has.
        header_bytes: the head of a request.
        head: seconds for the head of a request.
        connections: connections at once.
        peer_connections: connections of one IP address, or of one IPv6 network of 64 bits.
        waiting: devices that wait for an update at once.
        wait: seconds for which a device may wait.
        idle: seconds between two pieces of a body.
        drain: bytes of a refused body that are read so that the client sees the answer.
    """

    image: int = 100 * 1024 * 1024
    chunk_min: int = 5 * 1024 * 1024
    chunk_max: int = 100 * 1024 * 1024
    job: int = 1024 * 1024 * 1024
    encrypted: int = 256 * 1024 * 1024
    manifest: int = 2048
    images: int = 1000
    manifests: int = 10_000
    campaigns: int = 10_000
    jobs: int = 100
    chunks: int = 1000
    devices: int = 10_000
    keys: int = 100
    name: int = 128
    description: int = 2000
    image_file_name: int = 166
    manifest_file_name: int = 100
    json: int = 64 * 1024
    json_depth: int = 16
    filter: int = 4096
    filter_terms: int = 32
    page: int = 1000
    headers: int = 64
    header_bytes: int = 16 * 1024
    head: int = 20
    connections: int = 4096
    peer_connections: int = 2048
    waiting: int = 4000
    wait: int = 60
    idle: int = 60
    drain: int = 256 * 1024 * 1024


#: Room for the other parts of a multipart body and for their headers.
FORM_OVERHEAD = 64 * 1024


def parse_limits(texts: Iterable[str]) -> ServerLimits:
    """Read ``NAME=NUMBER`` as given on the command line; dashes stand for underscores.

    Raises:
        UsageError: an unknown name, or not a number of one or more.
    """
    names = {field.name for field in dataclasses.fields(ServerLimits)}
    given: dict[str, int] = {}
    for text in texts:
        name, _, number = text.partition("=")
        name = name.replace("-", "_")
        if name not in names:
            raise UsageError(
                f"there is no limit {name[:40]!r}",
                remedy=f"choose one of {', '.join(sorted(names))}",
            )
        if not (number.isascii() and number.isdigit() and 1 <= len(number) <= 15 and int(number)):
            raise UsageError(f"the limit {name} needs a number of 1 or more, not {number[:40]!r}")
        given[name] = int(number)
    return dataclasses.replace(ServerLimits(), **given)
