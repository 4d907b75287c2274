from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ..cmake.conftest import package as package
from .hosts import Host, make_cmake, make_platformio, make_scons
from .server import Server

HOSTS = [
    pytest.param("scons", id="scons"),
    pytest.param("Ninja", id="cmake-ninja", marks=pytest.mark.cmake),
    pytest.param("Unix Makefiles", id="cmake-make", marks=pytest.mark.cmake),
    pytest.param("upload-update", id="platformio", marks=pytest.mark.platformio),
]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server with nothing on it."""
    with Server(tmp_path / "server") as server:
        yield server


@pytest.fixture(params=HOSTS)
def host(request: pytest.FixtureRequest, server: Server, tmp_path: Path) -> Host:
    """A project for each build system, that is to upload to that server."""
    folder = tmp_path / "project"
    if request.param.startswith("scons"):
        return make_scons(folder, server.environment, *request.param.split()[1:])
    if request.param == "upload-update":
        return make_platformio(folder, server.environment, request.param)
    package = request.getfixturevalue("package")
    return make_cmake(folder, server.environment, request.param, package)
