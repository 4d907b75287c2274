"""One exchange: where the key goes, what bounds it, what is sent."""

from __future__ import annotations

import copy
import dataclasses
import itertools
import pickle
import queue
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
import urllib3.connectionpool

from fotabuild.errors import (
    AnswerError,
    DestinationError,
    FileError,
    NetworkError,
    NoAccessKeyError,
    RejectedKeyError,
    ServiceError,
)
from fotabuild.publish import watchdog
from fotabuild.publish.access_key import AccessKey, read_access_key
from fotabuild.publish.address import ServiceAddress
from fotabuild.publish.bodies import FileSlice, Multipart
from fotabuild.publish.transport import Request
from fotabuild.publish.values import Image, Kind

from ..ports import reserved_port
from .fake_service import KEY, Call, FakeService, Reply, parse_multipart
from .scene import QUICK, Scene
from .wire import Wire


class Parrot(FakeService):
    """Answers whatever a test wants."""

    answer = Reply(200, {"id": "1" * 32})

    def handle(self, call: Call) -> Reply:
        return self.answer


@pytest.mark.parametrize("place", ["{other}/v3/firmware-images/", "/v3/elsewhere"])
@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(status: int, place: str, tmp_path: Path) -> None:
    parrot, other = Parrot(), Parrot()
    with Wire(parrot) as wire, Wire(other) as elsewhere:
        parrot.answer = Reply(status, "", {"Location": place.format(other=elsewhere.url)})
        service = Scene(wire.url, tmp_path).service
        for ask in (lambda: service.image("1" * 32), lambda: service.order("1" * 32, "start")):
            with pytest.raises(AnswerError) as caught:
                ask()
            assert "redirect" in str(caught.value)
    assert (len(parrot.calls), len(other.calls)) == (2, 0)


# What an interrupt left open is closed when nobody has it any more.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_at_any_line_of_an_exchange_leaves_no_lock_taken(
    tmp_path: Path, figure: Callable[[str], None]
) -> None:
    """The clean-up goes on with the same connections; none of its requests waits for ever."""
    package = str(Path(urllib3.connectionpool.__file__))
    count = 0

    def interrupt_at(number: int) -> Callable[..., Any]:
        lines = itertools.count()

        def trace(frame: FrameType, event: str, _: object) -> Any:
            ours = frame.f_code.co_filename in (package, queue.__file__, watchdog.__file__)
            if event == "line" and ours and next(lines) == number:
                raise KeyboardInterrupt
            return trace

        return trace

    parrot = Parrot()
    with Wire(parrot) as wire:
        for count in range(500):
            transport = Scene(wire.url, tmp_path).transport
            transport.exchange(Request("GET", "/v3/x"))
            sys.settrace(interrupt_at(count))
            try:
                transport.exchange(Request("GET", "/v3/x"))
                break
            except KeyboardInterrupt:
                pass
            finally:
                sys.settrace(None)
            later = threading.Thread(
                target=transport.exchange, args=(Request("GET", "/v3/x"),), daemon=True
            )
            later.start()
            later.join(20)
            assert not later.is_alive(), f"line {count}"
            transport.close()
    figure(f"Ctrl-C at {count} of {count} lines of an exchange: the next one is answered")
    assert 20 < count < 499


@pytest.mark.parametrize("name", ["HTTP_PROXY", "http_proxy", "ALL_PROXY"])
def test_a_service_on_this_machine_is_not_reached_through_a_proxy(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Parrot()
    with Wire(FakeService()) as wire, Wire(proxy) as between:
        monkeypatch.setenv(name, between.url)
        Scene(wire.url, tmp_path).service.check_key()
    assert proxy.calls == []


def test_a_proxy_of_the_environment_counts_for_others(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    proxy = Parrot()
    proxy.answer = Reply(403, "not to there")
    with Wire(proxy) as between:
        monkeypatch.setenv("HTTPS_PROXY", between.url)
        pacing = dataclasses.replace(QUICK, attempts=1)
        with pytest.raises(NetworkError):
            Scene("https://api.example.com", tmp_path, pacing).service.check_key()
    assert [call.method for call in proxy.calls] == ["CONNECT"]
    assert all(KEY not in str(call.headers) for call in proxy.calls)


def test_one_connection_serves_a_whole_campaign(tmp_path: Path) -> None:
    with Wire(FakeService()) as wire:
        Scene(wire.url, tmp_path).publish()
        assert wire.count > 10
        assert wire.connections == 1


def test_an_answer_without_end_is_cut_off(tmp_path: Path) -> None:
    parrot = Parrot()
    parrot.answer = Reply(200, b"[" + b" " * 5_000_000 + b"]")
    with Wire(parrot) as wire:
        pacing = dataclasses.replace(QUICK, attempts=1, read=5, exchange=5)
        with pytest.raises(NetworkError, match="more than 4194304 bytes"):
            Scene(wire.url, tmp_path, pacing).service.image("1" * 32)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<html>",
        b"\xff\xfe",
        b"[]",
        b"{}",
        b'{"id": 5}',
        b'{"id": "../../v3/api-keys"}',
        b'{"id": ""}',
        b'{"x":' + b"[" * 100_000 + b"]" * 100_000 + b', "id": "1"}',
        b'{"id": "1", "datafile_size": -1}',
        b'{"id": "1", "datafile": {}}',
    ],
)
def test_odd_answers_are_errors(body: bytes, tmp_path: Path) -> None:
    parrot = Parrot()
    parrot.answer = Reply(200, body)
    with Wire(parrot) as wire:
        pacing = dataclasses.replace(QUICK, attempts=1)
        with pytest.raises(AnswerError, match="GET /v3/firmware-images"):
            Scene(wire.url, tmp_path, pacing).service.image("1" * 32)


@pytest.mark.parametrize(
    "answer",
    [
        b'{"id": "1", "novel": {"a": [1]}, "name": null, "datafile_encryption": null}',
        b'{"id": "1", "datafile_encryption": false, "datafile_size": "7"}',
    ],
)
def test_new_and_missing_fields_do_not_matter(answer: bytes, tmp_path: Path) -> None:
    parrot = Parrot()
    parrot.answer = Reply(200, answer)
    with Wire(parrot) as wire:
        assert Scene(wire.url, tmp_path).service.image("1" * 32).id == "1"


def test_a_drip_ends_in_time(tmp_path: Path) -> None:
    """Every byte comes in time, the headers too; only the whole takes too long."""
    pacing = dataclasses.replace(QUICK, attempts=1, read=5, exchange=0.2)
    with Wire(FakeService(), {0: "drip"}) as wire:
        begin = time.monotonic()
        with pytest.raises(NetworkError, match="no complete answer within"):
            Scene(wire.url, tmp_path, pacing).service.check_key()
        assert time.monotonic() - begin < 15


@pytest.mark.parametrize("status", [400, 401, 403, 404, 409, 413])
def test_refusals_are_told_and_not_repeated(status: int, tmp_path: Path) -> None:
    parrot = Parrot()
    body = {
        "message": f"no, says {KEY}",
        "request_id": "abc",
        "fields": [{"name": "device_filter", "message": "odd\x1b[2J"}],
    }
    parrot.answer = Reply(status, body)
    with Wire(parrot) as wire, pytest.raises(ServiceError) as caught:
        Scene(wire.url, tmp_path).service.image("1" * 32)
    text = str(caught.value)
    assert f"status {status}: no, says ***, device_filter: odd" in text
    assert "request abc" in text
    assert KEY not in text
    assert text.isprintable()
    assert isinstance(caught.value, RejectedKeyError) == (status in (401, 403))
    assert len(parrot.calls) == 1


def test_html_of_a_gateway_is_told(tmp_path: Path) -> None:
    parrot = Parrot()
    parrot.answer = Reply(502, "<html>\n <b>Bad\x07 Gateway</b>")
    pacing = dataclasses.replace(QUICK, attempts=2)
    gateway = pytest.raises(ServiceError, match=r"status 502: <html> <b>Bad.{4} Gateway</b>")
    with Wire(parrot) as wire, gateway:
        Scene(wire.url, tmp_path, pacing).service.image("1" * 32)
    assert len(parrot.calls) == 2


def test_nobody_listens(tmp_path: Path) -> None:
    refused = pytest.raises(NetworkError, match="connection refused")
    with reserved_port() as port, refused as caught:
        Scene(f"http://127.0.0.1:{port}", tmp_path).service.check_key()
    assert caught.value.sent is False


def test_lists_are_read_page_by_page(tmp_path: Path) -> None:
    fake = FakeService(page=2)
    names = ["a", "b", "c", "b", "e"]
    for name in names:
        fake._new("images", name=name)
    with Wire(fake) as wire:
        service = Scene(wire.url, tmp_path).service
        assert [image.name for image in service.caller.every(Kind.IMAGE.path, Image)] == names
    assert len(fake.calls) == 3


def test_a_list_that_never_ends_ends(tmp_path: Path) -> None:
    parrot = Parrot()
    item = {"id": "1" * 32, "name": "x"}
    parrot.answer = Reply(200, {"data": [item], "has_more": True})
    with Wire(parrot) as wire:
        assert len(Scene(wire.url, tmp_path).service.find(Kind.IMAGE, "x")) == 1
    assert len(parrot.calls) == 2


@pytest.mark.parametrize("piece", [1, 7, 100, 65536, -1])
def test_multipart_is_the_same_in_any_pieces(piece: int, tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(range(256)) * 3)
    done: list[int] = []
    body = Multipart([("name", "n"), ("x", "y")], "f.bin", FileSlice(path, 100, 500, done.append))
    data = b""
    while part := body.read(piece):
        data += part
    body.close()
    assert len(body) == len(data)
    assert done[-1] == 500
    call = Call("POST", "/", {"content-type": body.content_type}, data)
    assert list(parse_multipart(call)) == [
        ("name", b"n"),
        ("x", b"y"),
        ("datafile", path.read_bytes()[100:600]),
    ]


def test_a_file_that_shrinks_is_noticed(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(b"123")
    part = FileSlice(path, 0, 5)
    with pytest.raises(FileError, match="became shorter"):
        b"".join(part)
    part.close()


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://api.us-east-1.mbedcloud.com", "https://api.us-east-1.mbedcloud.com"),
        ("https://acme.com/gateway/", "https://acme.com/gateway"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:1/", "http://localhost:1"),
        ("http://[::1]:8080", "http://[::1]:8080"),
    ],
)
def test_addresses(text: str, url: str) -> None:
    address = ServiceAddress.parse(text)
    assert address.url == url
    assert address.join("/v3/x") == f"{url}/v3/x"


@pytest.mark.parametrize(
    "text",
    [
        "http://acme.com",
        "http://10.0.0.1:8080",
        "http://127.0.0.1.evil.com",
        "http://localhost.evil.com",
        "ftp://acme.com",
        "https://",
        "acme.com",
        "https://me:secret@acme.com",
        "https://acme.com?x=1",
        "https://acme.com/#x",
        "https://acme.com:99999",
        "https://[::1",
        "https://\u0430cme.com",
        "https://acme.com/a b",
    ],
)
def test_addresses_that_are_refused(text: str) -> None:
    with pytest.raises(DestinationError) as caught:
        ServiceAddress.parse(text)
    assert "secret" not in str(caught.value)


def test_access_keys_come_from_their_places(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_text(KEY + "\n")
    with open(file, "rb") as opened:
        keys = [
            read_access_key(None, {"FOTABUILD_ACCESS_KEY": KEY}),
            read_access_key("env:OTHER", {"OTHER": f" {KEY} "}),
            read_access_key(f"file:{file}", {}),
            read_access_key(f"fd:{opened.fileno()}", {}),
        ]
    assert {key.header() for key in keys} == {f"Bearer {KEY}"}
    assert KEY not in repr(keys)


@pytest.mark.parametrize(
    "value",
    ["", "   ", "short", "with space inside", "new\nline-in-it", "k\u00e9y-not-ascii", "x" * 5000],
)
def test_what_cannot_be_a_key(value: str, tmp_path: Path) -> None:
    with pytest.raises(NoAccessKeyError) as caught:
        read_access_key(None, {"FOTABUILD_ACCESS_KEY": value})
    assert not value.strip() or value not in str(caught.value)
    file = tmp_path / "key"
    file.write_text(value, encoding="utf-8")
    with pytest.raises(Exception, match="access key") as other:
        read_access_key(f"file:{file}", {})
    assert not value.strip() or value not in str(other.value)


@pytest.mark.parametrize("source", ["env:NOT_SET", "fd:99", "fd:x", "ak_12345678", "keyring:x"])
def test_places_without_a_key(source: str) -> None:
    with pytest.raises(NoAccessKeyError):
        read_access_key(source, {})


def test_a_key_is_not_stored_by_mistake() -> None:
    key = AccessKey(KEY, "env:X")
    for store in (pickle.dumps, copy.copy, copy.deepcopy):
        with pytest.raises(TypeError):
            store(key)
    assert not hasattr(key, "__dict__")


def test_the_request_says_nothing_of_the_key() -> None:
    assert str(Request("GET", "/v3/x")) == "GET /v3/x"
    assert str(AccessKey(KEY, "env:X")) == "AccessKey(env:X)"
