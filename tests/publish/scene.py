"""A publisher in a test: a clock that runs fast, a journal, one payload."""

from __future__ import annotations

import dataclasses
import hashlib
import random
import time
from collections.abc import Sequence
from pathlib import Path

from fotabuild.publish.access_key import AccessKey
from fotabuild.publish.address import ServiceAddress
from fotabuild.publish.calls import Caller
from fotabuild.publish.events import Event
from fotabuild.publish.journal import Journal, begin
from fotabuild.publish.pacing import Pacing
from fotabuild.publish.run import publish_updates
from fotabuild.publish.service import Service
from fotabuild.publish.transport import Transport
from fotabuild.publish.updates import Publication, RunOptions, Stored, Update

from .fake_service import KEY

#: Sockets time out in real seconds, everything else runs by the clock below.
QUICK = Pacing(connect=10, read=10, upload_read=10, exchange=10, slowest=1 << 30, step=100_000)
FILTER = "device_class__eq=deadbeef&vendor_id__eq=c0ffee"


def impatient(pacing: Pacing = QUICK) -> Pacing:
    """Return how to treat a service that does not answer at times."""
    return dataclasses.replace(pacing, read=0.12, upload_read=0.12, exchange=0.12)


class FastClock:
    """A clock on which time passes by sleeping alone, a thousand times as fast."""

    def __init__(self, factor: float = 1000) -> None:
        self._factor = factor
        self._now = 1e6
        self.slept: list[float] = []

    def now(self) -> float:
        return self._now

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self._now += seconds
        time.sleep(seconds / self._factor)


class Scene:
    """One client of a service.

    Args:
        url: where the service is.
        folder: for the payload and the journal.
        pacing: timeouts.
    """

    def __init__(
        self, url: str, folder: Path, pacing: Pacing = QUICK, key: str = KEY, size: int = 1024
    ) -> None:
        self.events: list[Event] = []
        self.clock = FastClock()
        self.journals = folder / "journals"
        self.url = url
        self.payload = folder / "fw.bin"
        self.payload.write_bytes(bytes(n * 7 % 251 for n in range(size)))
        self.stored: list[Stored] = []
        transport = Transport(ServiceAddress.parse(url), AccessKey(key, "env:TEST"), pacing)
        self.transport = transport
        self.service = Service(Caller(transport, pacing, self.clock, random.Random(1)))

    def make_manifest(self, stored: Stored) -> bytes:
        self.stored.append(stored)
        return b"manifest of " + stored.url.encode()

    def update(self, key: str = "full", device_filter: str = FILTER, **more: object) -> Update:
        data = self.payload.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        return Update(
            key,
            self.payload,
            digest,
            len(data),
            device_filter,
            self.make_manifest,
            **more,  # type: ignore[arg-type]
        )

    def begin(self) -> Journal:
        return begin(self.journals, self.url, {"options": {}})

    def publish(
        self,
        options: RunOptions | None = None,
        journal: Journal | None = None,
        updates: Sequence[Update] | None = None,
    ) -> Publication:
        journal = journal or self.begin()
        try:
            return publish_updates(
                self.service,
                journal,
                updates or [self.update()],
                options or RunOptions(),
                self.events.append,
            )
        finally:
            journal.close()
