from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from fotabuild.releases.folder import FolderStorage
from fotabuild.releases.places import open_storage
from fotabuild.releases.storage import Storage
from fotabuild.releases.store import ReleaseStore

from ..ports import reserved_port

BUCKET = "firmware"
START_SECONDS = 60


@pytest.fixture(params=["folder", "url"])
def storage(request: pytest.FixtureRequest, tmp_path: Path) -> Storage:
    """A folder, and a place behind fsspec."""
    if request.param == "folder":
        return FolderStorage(tmp_path / "store")
    return open_storage(f"memory://{uuid.uuid4().hex}/store")


@pytest.fixture
def store(storage: Storage) -> ReleaseStore:
    return ReleaseStore(storage)


@pytest.fixture
def folder_store(tmp_path: Path) -> ReleaseStore:
    return ReleaseStore(FolderStorage(tmp_path / "store"))


@pytest.fixture(scope="session")
def s3_environment() -> Iterator[dict[str, str]]:
    """A real server that speaks S3, with an empty bucket; returns how to reach it."""
    with reserved_port() as port:
        yield from _serve(port)


def _serve(port: int) -> Iterator[dict[str, str]]:
    address = f"http://127.0.0.1:{port}"
    environment = {
        "AWS_ACCESS_KEY_ID": "key",
        "AWS_SECRET_ACCESS_KEY": "secret",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
    }
    code = "from moto.server import main; main()"
    with subprocess.Popen(
        [sys.executable, "-c", code, "-H", "127.0.0.1", "-p", str(port)],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as server:
        try:
            _wait_for(port, server)
            make = f"import s3fs; s3fs.S3FileSystem().mkdir({BUCKET!r})"
            subprocess.run(
                [sys.executable, "-c", make], env={**os.environ, **environment}, check=True
            )
            yield environment
        finally:
            server.kill()


def _wait_for(port: int, server: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and server.poll() is None:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError("the S3 server does not start")
