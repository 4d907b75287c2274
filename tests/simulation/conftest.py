from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from .scene import Bench, make_device
from .service import Service


@pytest.fixture
def service() -> Iterator[Service]:
    """A server that offers nothing yet."""
    with Service() as service:
        yield service


@pytest.fixture
def bench(service: Service, tmp_path: Path) -> Iterator[Bench]:
    """A device with the old image, and that server."""
    with Bench(service, make_device(tmp_path / "device")) as bench:
        yield bench
