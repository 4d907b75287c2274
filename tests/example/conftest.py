from __future__ import annotations

import pytest

from .builds import TOOLCHAINS, Firmware, build_example


@pytest.fixture(scope="session", params=TOOLCHAINS)
def firmware(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Firmware:
    """The example, really built once with each toolchain of this machine."""
    return build_example(tmp_path_factory.mktemp("example") / "mbed-os", request.param)
