"""The pages in a real browser."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .browser import Browser, browsing
from .harness import Running, running, wait_until
from .test_pages import HOSTILE, all_pages, fill

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Where pictures go; a folder of your own with FOTABUILD_PICTURES."""
    folder = Path(os.environ.get("FOTABUILD_PICTURES", tmp_path))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def size_of(picture: bytes) -> tuple[int, int]:
    assert picture.startswith(b"\x89PNG")
    width, height = struct.unpack(">II", picture[16:24])
    return width, height


def url(server: Running, path: str = "/") -> str:
    return server.service.settings.public_url + path


def test_every_page_loads_without_a_complaint(
    browser: Browser, server: Running, pictures: Path
) -> None:
    things = fill(server)
    for path in all_pages(things):
        browser.open(url(server, path))
        browser.screenshot(pictures / f"{path.strip('/').split('/')[0] or 'overview'}.png")
        assert browser.text("h1")
        assert browser.log() == [], path
        # The style sheet is there, and nothing is wider than the window.
        assert (
            browser.run("return getComputedStyle(document.querySelector('header')).display")
            == "flex"
        )
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth"), path


def test_the_picture_of_a_campaign_shows_its_bar(
    browser: Browser, server: Running, pictures: Path
) -> None:
    things = fill(server)
    for number in range(3):
        server.device(f"more-{number}")
    again = server.client.campaign(
        root_manifest_id=things["manifest"]["id"], name="again",
        device_filter="endpoint_name__neq=sample",
    )  # fmt: skip
    server.deploy(again)
    things["device"].report(things["campaign"], "UPD4_OK_100")
    browser.open(url(server, f"/campaigns/{things['campaign']['id']}"))
    picture = browser.screenshot(pictures / "bar.png")
    assert size_of(picture)[0] >= 1000
    bar = "document.querySelector('.big rect.success').getBoundingClientRect().width"
    whole = "document.querySelector('.big .bar').getBoundingClientRect().width"
    assert browser.run(f"return {bar} / {whole}") == pytest.approx(1)


def test_a_campaign_is_live(browser: Browser, server: Running) -> None:
    things = fill(server)
    browser.open(url(server, f"/campaigns/{things['campaign']['id']}"))
    assert "0 of 1 devices done" in browser.text()
    browser.run("window.stays = true")
    things["device"].report(things["campaign"], "UPD4_OK_100")
    wait_until(lambda: "1 of 1 devices done" in _text(browser), "the script")
    server.go(things["campaign"], "stopped")
    wait_until(lambda: "autostopped" in _text(browser), "the end")
    assert browser.run("return window.stays") is True  # The page was not loaded again.
    assert browser.log() == []


def test_hostile_names_do_nothing(browser: Browser, server: Running) -> None:
    things = fill(server, HOSTILE)
    for path in all_pages(things):
        browser.open(url(server, path))
        assert browser.run("return document.querySelectorAll('script').length") <= 1
        assert browser.run("return document.querySelectorAll('img').length") == 1  # Our sign.
        assert "<script>alert('x')</script>" in browser.text(), path
        assert browser.log() == [], path


def test_login_and_logout(browser: Browser, pictures: Path) -> None:
    with running(private=True) as server:
        fill(server)
        browser.open(url(server, "/campaigns"))
        assert browser.url == url(server, "/login")
        browser.type("#key", "wrong")
        browser.click("main button")
        wait_until(lambda: "not known here" in _text(browser), "the refusal")
        browser.screenshot(pictures / "login.png")
        browser.log()  # The browser notes the status 403.
        browser.type("#key", str(server.client.key))
        browser.click("main button")
        wait_until(lambda: browser.url == url(server), "the login leads to the overview")
        assert browser.run("return document.cookie") == ""  # No script can read it.
        browser.open(url(server, "/campaigns"))
        assert "sample" in browser.text()
        browser.click("header button")
        # The driver does not wait for a form; what is opened meanwhile takes its place.
        wait_until(lambda: browser.url == url(server, "/login"), "the end of the login")
        browser.open(url(server, "/campaigns"))
        assert browser.url == url(server, "/login")
        assert browser.log() == []


def test_without_a_script(server: Running) -> None:
    things = fill(server)
    with browsing(script=False) as browser:
        for path in all_pages(things):
            browser.open(url(server, path))
            assert browser.text("h1"), path
        browser.open(url(server, f"/campaigns/{things['campaign']['id']}"))
        assert "0 of 1 devices done" in browser.text()
        things["device"].report(things["campaign"], "UPD4_OK_100")
        wait_until(lambda: "1 of 1 devices done" in _text(browser), "the page loads itself again")


def _text(browser: Browser) -> str:
    try:
        return browser.text()
    except AssertionError:  # The page is just being replaced.
        return ""


@pytest.mark.parametrize("dark", [False, True])
def test_light_and_dark(server: Running, pictures: Path, dark: bool) -> None:
    things = fill(server)
    with browsing(dark=dark) as browser:
        browser.open(url(server, f"/manifests/{things['manifest']['id']}"))
        browser.screenshot(pictures / f"manifest-{'dark' if dark else 'light'}.png")
        colours: Any = browser.run(
            "const s = getComputedStyle(document.body); return [s.color, s.backgroundColor]"
        )
        ink, ground = (sum(map(int, c[c.index("(") + 1 : -1].split(",")[:3])) for c in colours)
        assert (ink > ground) is dark
        assert abs(ink - ground) > 450  # Readable.


def test_a_narrow_window(browser: Browser, server: Running, pictures: Path) -> None:
    things = fill(server, "a-rather-long-name-of-a-campaign-" * 3)
    before = browser.call("GET", "/window/rect")
    browser.call("POST", "/window/rect", {"width": 500, "height": 900})
    try:
        for path in all_pages(things):
            browser.open(url(server, path))
            assert browser.run("return document.documentElement.scrollWidth <= innerWidth"), path
        browser.open(url(server, f"/campaigns/{things['campaign']['id']}"))
        browser.screenshot(pictures / "narrow.png")
    finally:
        browser.call("POST", "/window/rect", before)
