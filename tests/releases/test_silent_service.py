"""A service that accepts connections and never answers: commands end in time."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator

import fsspec
import pytest
import s3fs

from fotabuild.errors import ReleaseStorageError
from fotabuild.releases.remote import RemoteStorage

SECONDS = 0.2


class Silent:
    """A server that counts connections, and keeps them."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.connections: list[socket.socket] = []
        self.thread = threading.Thread(target=self._accept)
        self.thread.start()

    @property
    def address(self) -> str:
        return f"http://127.0.0.1:{self.listener.getsockname()[1]}"

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)

    def close(self) -> None:
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for connection in self.connections:
            connection.close()


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[Silent]:
    server = Silent()
    monkeypatch.setenv("AWS_ENDPOINT_URL", server.address)
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "x")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    # fsspec keeps what was connected to another address before.
    s3fs.S3FileSystem.clear_instance_cache()
    yield server
    server.close()
    s3fs.S3FileSystem.clear_instance_cache()


class Impatient(RemoteStorage):
    answer_seconds = SECONDS
    tries = 2


REQUESTS: dict[str, Callable[[RemoteStorage], object]] = {
    "read": lambda storage: storage.read("index.json", 10),
    "read all": lambda storage: storage.read_all(["a", "b"], 10),
    "list": lambda storage: storage.names(""),
    "write": lambda storage: storage.write("a", b"x"),
    "create": lambda storage: storage.create("a", b"x"),
}


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
def test_no_request_waits_without_end(
    request_: Callable[[RemoteStorage], object], silent: Silent
) -> None:
    storage = Impatient("s3://bucket/x")
    # Making the client takes longer than this storage waits.
    fsspec.asyn.sync(storage._system.loop, storage._system.set_session)
    start = time.monotonic()
    with pytest.raises(ReleaseStorageError, match="did not answer in time"):
        request_(storage)
    assert time.monotonic() - start < 20
    # No more than the tries of each file, and no question after the first without an answer.
    assert 1 <= len(silent.connections) <= 2 * Impatient.tries


def test_real_times_end_within_minutes() -> None:
    storage = RemoteStorage("s3://bucket/x")
    assert storage.tries * (storage.connect_seconds + storage.answer_seconds) <= 240
    assert storage._time_for(bytes(1_000_000)) == {"timeout": 190.0}
    assert storage._system.retries == 1
    assert storage._system.read_timeout == RemoteStorage.answer_seconds


def test_settings_of_people_win(monkeypatch: pytest.MonkeyPatch) -> None:
    own = {"read_timeout": 7, "retries": {"total_max_attempts": 9}, "signature_version": "s3v4"}
    monkeypatch.setitem(fsspec.config.conf, "s3", {"config_kwargs": own})
    system = RemoteStorage("s3://bucket/x")._system
    assert {**system._prepare_config_kwargs(), **own} == system._prepare_config_kwargs()
