"""Payloads: whole, in parts, by many at once."""

from __future__ import annotations

import hashlib
import random
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from fotabuild.server.downloads import _PIECE
from fotabuild.server.ranges import ByteRange, UnsatisfiableError, parse_range

from .harness import Running, running

DATA = random.Random(5).randbytes(3 * _PIECE + 1234)


@pytest.fixture(scope="module")
def shared() -> Iterator[Running]:
    with running() as found:
        yield found


@pytest.fixture(scope="module")
def path(shared: Running) -> Any:
    return shared.client.upload(DATA)["short_datafile"]


def test_whole(shared: Running, path: str) -> None:
    answer = shared.anybody("GET", path)
    assert (answer.status, answer.body) == (200, DATA)
    assert answer.headers["content-length"] == str(len(DATA))
    assert answer.headers["etag"] == f'"{hashlib.sha256(DATA).hexdigest()}"'
    assert answer.headers["accept-ranges"] == "bytes"
    assert "immutable" in answer.headers["cache-control"]
    assert answer.headers["x-content-type-options"] == "nosniff"
    head = shared.anybody("HEAD", path)
    assert (head.status, head.body) == (200, b"")
    same = {"content-length", "etag", "accept-ranges", "cache-control", "content-type"}
    assert {name: head.headers[name] for name in same} == {
        name: answer.headers[name] for name in same
    }


SIZE = len(DATA)
RANGES: list[tuple[str, int, int, int]] = [
    ("bytes=0-0", 206, 0, 1),
    ("bytes=0-", 206, 0, SIZE),
    ("bytes=100-199", 206, 100, 200),
    (f"bytes={_PIECE - 1}-{_PIECE}", 206, _PIECE - 1, _PIECE + 1),
    (f"bytes={_PIECE}-{2 * _PIECE - 1}", 206, _PIECE, 2 * _PIECE),
    (f"bytes={SIZE - 1}-", 206, SIZE - 1, SIZE),
    (f"bytes=0-{SIZE * 9}", 206, 0, SIZE),
    ("bytes=-1", 206, SIZE - 1, SIZE),
    (f"bytes=-{SIZE * 2}", 206, 0, SIZE),
    ("bytes=5-4", 200, 0, SIZE),
    ("bytes=", 200, 0, SIZE),
    ("bytes=-", 200, 0, SIZE),
    ("bytes=a-b", 200, 0, SIZE),
    ("bytes=1-2,4-5", 200, 0, SIZE),
    ("lines=1-2", 200, 0, SIZE),
    ("bytes=--1", 200, 0, SIZE),
    ("bytes=0x1-0x2", 200, 0, SIZE),
    ("bytes=" + "9" * 40 + "-", 200, 0, SIZE),
]


@pytest.mark.parametrize(
    ("header", "status", "start", "end"), RANGES, ids=[r[0][:30] for r in RANGES]
)
def test_parts(shared: Running, path: str, header: str, status: int, start: int, end: int) -> None:
    answer = shared.anybody("GET", path, headers={"Range": header})
    assert answer.status == status
    assert answer.body == DATA[start:end]
    assert answer.headers["content-length"] == str(end - start)
    if status == 206:
        assert answer.headers["content-range"] == f"bytes {start}-{end - 1}/{SIZE}"


@pytest.mark.parametrize("header", [f"bytes={SIZE}-", f"bytes={SIZE + 5}-{SIZE + 9}", "bytes=-0"])
def test_parts_behind_the_end(shared: Running, path: str, header: str) -> None:
    answer = shared.anybody("GET", path, headers={"Range": header})
    assert (answer.status, answer.headers["content-range"]) == (416, f"bytes */{SIZE}")


def test_conditions(shared: Running, path: str) -> None:
    etag = shared.anybody("HEAD", path).headers["etag"]
    unchanged = shared.anybody("GET", path, headers={"If-None-Match": etag})
    assert (unchanged.status, unchanged.body) == (304, b"")
    part = {"Range": "bytes=1-2", "If-Range": etag}
    assert shared.anybody("GET", path, headers=part).body == DATA[1:3]
    assert shared.anybody("GET", path, headers={**part, "If-Range": '"other"'}).body == DATA


@pytest.mark.parametrize(
    "change",
    [
        lambda path: path + "x",
        lambda path: path.replace("/files/", "/files/0", 1),
        lambda path: path.rpartition("/")[0] + "/",
        lambda path: path.rpartition("/")[0],
        lambda path: "/files/../blobs/" + hashlib.sha256(DATA).hexdigest(),
        lambda path: "/files/%2e%2e/" + hashlib.sha256(DATA).hexdigest(),
        lambda path: path.rpartition("/")[0] + "/..%2f..%2fserver.sqlite3",
        lambda path: path.rpartition("/")[0] + "/../../server.sqlite3",
        lambda path: "/files/" + "0" * 32 + "/fw.bin",
        lambda path: "/static/../pages.py",
        lambda path: "/static/%2e%2e%2fpages.py",
        lambda path: "/server.sqlite3",
    ],
)
def test_nothing_else_is_served(shared: Running, path: str, change: Any) -> None:
    assert shared.anybody("GET", change(path)).status == 404


def test_nothing_can_be_changed_there(shared: Running, path: str) -> None:
    for method in ("POST", "PUT", "DELETE", "PATCH"):
        assert shared.anybody(method, path).status == 405


def test_a_file_that_the_disk_lost_is_an_error_not_a_short_answer(server: Running) -> None:
    image = server.client.upload(DATA)
    server.service.blobs.path(image["datafile_checksum"]).unlink()
    assert server.anybody("GET", image["short_datafile"]).status >= 500


def test_many_at_once(shared: Running, path: str) -> None:
    before = shared.service.downloads.total()
    wrong: list[int] = []

    def fetch(number: int) -> None:
        start = number * 997 % SIZE
        answer = shared.anybody("GET", path, headers={"Range": f"bytes={start}-"})
        if answer.body != DATA[start:]:
            wrong.append(number)

    threads = [threading.Thread(target=fetch, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert shared.service.downloads.total() == before + 1  # Those that begin at the beginning.


def test_a_download_goes_on_while_its_image_is_deleted(server: Running) -> None:
    import http.client

    data = random.Random(6).randbytes(40 * _PIECE)
    image = server.client.upload(data)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", image["short_datafile"])
    response = connection.getresponse()
    first = response.read(1000)
    server.client.good("DELETE", f"/v3/firmware-images/{image['id']}")
    try:
        rest = response.read()
    except (http.client.IncompleteRead, ConnectionError):
        rest = None  # Cut off where it can be seen; never other bytes.
    connection.close()
    assert rest is None or first + rest == data


@pytest.mark.parametrize(
    ("header", "size", "expected"),
    [
        ("bytes=0-9", 10, ByteRange(0, 10)),
        ("bytes=-3", 10, ByteRange(7, 10)),
        ("bytes=2-", 3, ByteRange(2, 3)),
    ],
)
def test_parse_range(header: str, size: int, expected: ByteRange) -> None:
    assert parse_range(header, size) == expected


def test_an_empty_file_has_no_part() -> None:
    with pytest.raises(UnsatisfiableError):
        parse_range("bytes=0-", 0)
