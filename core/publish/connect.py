"""Connect to a service, with everything that a connection is made of."""

from __future__ import annotations

import random
from collections.abc import Callable

from fotabuild.publish import pacing
from fotabuild.publish.access_key import AccessKey
from fotabuild.publish.address import ServiceAddress
from fotabuild.publish.calls import Caller
from fotabuild.publish.service import Service
from fotabuild.publish.transport import Transport


def connect(
    address: ServiceAddress, key: AccessKey, on_retry: Callable[[str], None] = lambda _: None
) -> Service:
    """Return a service; nothing is sent yet. Close it at the end.

    Args:
        address: where it is.
        key: its access key.
        on_retry: hears why a request is tried again.
    """
    transport = Transport(address, key, pacing.PACING)
    chance = random.SystemRandom()
    return Service(Caller(transport, pacing.PACING, pacing.SystemClock(), chance, on_retry))
