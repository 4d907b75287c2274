from __future__ import annotations

from collections.abc import Iterator

import pytest

from .harness import Running, running


@pytest.fixture
def server() -> Iterator[Running]:
    """A server that keeps nothing."""
    with running() as found:
        yield found
