"""Pages for people: what they hold, who may see them."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest

from fotabuild.server.sessions import SESSION_SECONDS, make_session, read_session

from .harness import Answer, Running, make_manifest, running

PAYLOAD = bytes(range(256)) * 8
HOSTILE = "\"><script>alert('x')</script><img src=x onerror=alert(1)>\u202e{{ 7*7 }}"
PAGES = ["/", "/campaigns", "/devices", "/images", "/manifests", "/downloads"]


def fill(server: Running, name: str = "sample") -> dict[str, Any]:
    """Put one of everything onto a server, called ``name``."""
    image = server.client.upload(PAYLOAD, name)
    manifest = server.client.upload_manifest(make_manifest(PAYLOAD, image["datafile"]), name)
    device = server.device(name[:64])
    campaign = server.client.campaign(root_manifest_id=manifest["id"], name=name, description=name)
    server.deploy(campaign)
    return {"image": image, "manifest": manifest, "campaign": campaign, "device": device}


def all_pages(things: dict[str, Any]) -> list[str]:
    return [
        *PAGES,
        f"/campaigns/{things['campaign']['id']}",
        f"/manifests/{things['manifest']['id']}",
    ]


def look(server: Running, path: str, **headers: str) -> Answer:
    """Look at a page as a browser does; redirections are looked at, not followed."""
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    connection.request("GET", path, headers=headers)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, body)


class _Checker(HTMLParser):
    """Finds what a page must not have, and whether its elements are closed in order."""

    VOID = ("meta", "link", "img", "br", "input")

    def __init__(self) -> None:
        super().__init__()
        self.stack: list[str] = []
        self.problems: list[str] = []
        self.tags: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        if tag not in self.VOID:
            self.stack.append(tag)
        for name, value in attrs:
            if name.startswith("on") or name == "style":
                self.problems.append(f"{tag} {name}")
            if name in ("src", "href", "action") and not str(value).startswith("/"):
                self.problems.append(f"{tag} {name}={value}")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.stack.pop()

    def handle_endtag(self, tag: str) -> None:
        if not self.stack or self.stack.pop() != tag:
            self.problems.append(f"</{tag}> closes nothing")


def check_html(page: Answer) -> _Checker:
    checker = _Checker()
    checker.feed(page.body.decode())
    checker.close()
    assert checker.problems == []
    assert checker.stack == []
    return checker


def test_pages_of_a_new_server(server: Running) -> None:
    for path in PAGES:
        page = look(server, path)
        assert page.status == 200
        check_html(page)
        assert page.headers["content-type"] == "text/html; charset=utf-8"


def test_pages_of_a_server_with_one_of_everything(server: Running) -> None:
    things = fill(server)
    for path in all_pages(things):
        page = look(server, path)
        assert page.status == 200, path
        check_html(page)
        if path != "/devices":
            assert b"sample" in page.body, path
    shown = look(server, f"/campaigns/{things['campaign']['id']}").body.decode()
    assert "0 of 1 devices done" in shown
    assert "Waiting for the device" in shown
    things["device"].report(things["campaign"], "UPD4_FAIL_309")
    shown = look(server, f"/campaigns/{things['campaign']['id']}").body.decode()
    assert "The downloaded data has the wrong hash" in shown
    explained = look(server, f"/manifests/{things['manifest']['id']}").body.decode()
    assert things["image"]["datafile_checksum"] in explained
    assert "MAIN 1.1.0" in explained


def test_hostile_names(server: Running) -> None:
    things = fill(server, HOSTILE)
    for path in all_pages(things):
        page = look(server, path)
        checker = check_html(page)
        text = page.body.decode()
        assert checker.tags.count("script") <= 1, path  # Our own.
        assert "<img src=x" not in text
        assert "\u202e" not in text
        assert "49" not in re.findall(r"\b49\b", text)
        assert "&lt;script&gt;alert(" in text, path


def test_security_headers(server: Running) -> None:
    for path in (*PAGES, "/login", "/nothing/here", "/campaigns/" + "0" * 32, "/static/style.css"):
        headers = look(server, path).headers
        if path != "/nothing/here":  # An answer in JSON.
            policy = headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/campaigns/x", "/campaigns/" + "0" * 32, "/manifests/" + "0" * 32, "/static/none"]
)
def test_pages_that_are_not_there(server: Running, path: str) -> None:
    page = look(server, path)
    assert page.status == 404
    check_html(page)


def test_pages_are_for_reading_only(server: Running) -> None:
    for path in PAGES:
        assert server.anybody("POST", path).status == 405


def test_a_page_that_changes_by_itself_does_so_without_a_script_too(server: Running) -> None:
    things = fill(server)
    where = f"/campaigns/{things['campaign']['id']}"
    assert b'<noscript><meta http-equiv="refresh"' in look(server, where).body
    server.client.good("POST", f"/v3/update-campaigns/{things['campaign']['id']}/stop")
    server.go(things["campaign"], "stopped")
    assert b"refresh" not in look(server, where).body


@pytest.mark.parametrize(
    "host", ["evil.example", "evil.example:80", "127.0.0.1.evil.example", "", "[", "a@127.0.0.1b"]
)
def test_other_names_of_this_machine_see_nothing(server: Running, host: str) -> None:
    """A web site whose name is pointed at us reads no page with its visitor's browser."""
    fill(server)
    page = look(server, "/campaigns", Host=host)
    assert page.status in (400, 421)
    assert b"sample" not in page.body


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1:99", "[::1]:80"])
def test_names_that_are_right(server: Running, host: str) -> None:
    assert look(server, "/campaigns", Host=host).status == 200


def log_in(server: Running, key: str, **headers: str) -> Answer:
    import http.client

    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    form = {"Content-Type": "application/x-www-form-urlencoded", **headers}
    connection.request("POST", "/login", f"key={quote(key)}", form)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, body)


@pytest.mark.parametrize(("private", "loopback"), [(True, True), (False, False)])
def test_login(private: bool, loopback: bool) -> None:
    with running(private=private, loopback=loopback) as server:
        things = fill(server)
        for path in all_pages(things):
            page = look(server, path)
            assert (page.status, page.headers["location"]) == (303, "/login")
        assert look(server, "/login").status == 200
        assert log_in(server, "wrong").status == 403
        assert log_in(server, "").status == 403
        assert log_in(server, "x" * 10_000).status == 413
        assert server.client.key is not None
        entered = log_in(server, server.client.key)
        cookie = entered.headers["set-cookie"]
        assert entered.status == 303
        assert {"HttpOnly", "SameSite=strict"} <= set(cookie.split("; "))
        assert server.client.key not in cookie
        value = cookie.partition(";")[0]
        for path in all_pages(things):
            assert look(server, path, Cookie=value).status == 200
        assert look(server, "/", Cookie=value[:-1] + "x").status == 303
        # A page of another site cannot log its visitor in.
        assert log_in(server, server.client.key, Origin="https://evil.example").status == 403
        me = server.client.good("GET", "/v3/api-keys/me").json["id"]
        from fotabuild.server.access import revoke_key

        server.service.database.write_now(lambda c: revoke_key(c, me, 1))
        assert look(server, "/", Cookie=value).status == 303


def test_a_read_only_key_is_enough_to_look() -> None:
    with running(private=True) as server:
        key = server.reader().key
        assert key is not None
        assert log_in(server, key).status == 303


@pytest.mark.parametrize("change", [
    lambda text: text, lambda text: text + "x", lambda text: "x" + text, lambda text: "",
    lambda text: text.replace(".", "", 1), lambda text: "..", lambda text: "a" * 10_000,
    lambda text: text.rpartition(".")[0] + ".", lambda text: text.replace(".", ".9", 1),
    lambda text: "\udcff" + text,
])  # fmt: skip
def test_sessions_cannot_be_forged(change: Any) -> None:
    text = make_session(b"secret", "key", 1000)
    changed = change(text)
    assert (read_session(b"secret", changed, 1000) == "key") is (changed == text)
    assert read_session(b"other", changed, 1000) is None
    assert read_session(b"secret", changed, 1000 + SESSION_SECONDS) is None
