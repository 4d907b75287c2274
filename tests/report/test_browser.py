"""The page in a real browser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from fotabuild.report.model import Schema
from fotabuild.report.writing import write_report

from ..server.browser import Browser, browsing
from .chromium import dom, print_pages, screenshot
from .html_reader import Page
from .scene import Built
from .test_report import report_of

pytestmark = pytest.mark.browser


@pytest.fixture(scope="module")
def page(pristine: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "report.html"
    write_report(report_of(pristine), path, [])
    return path


@pytest.fixture(scope="module")
def crowded(pristine: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page about 50 deltas to two versions, with long names, one of them without a gap."""
    report = report_of(pristine)
    replace = msgspec.structs.replace
    delta = next(u for u in report.updates if u.saving is not None and u.schema is Schema.V3)
    updates = tuple(
        replace(delta, since=f"1.0.{number}", version=version)
        for number in range(25)
        for version in ("1.1.0", "1000.2000.3000-rc.12345678")
    )
    (first, *files), long = report.files, "a-very-long-name-" * 12
    report = replace(
        report,
        title="W" * 90,
        component=long,
        updates=(*report.updates, *updates),
        files=(
            replace(first, name="x" * 200),
            *(replace(file, name=long + file.name) for file in files),
        ),
        headroom=tuple(replace(item, where=long + item.where) for item in report.headroom),
    )
    path = tmp_path_factory.mktemp("crowded") / "report.html"
    write_report(report, path, [])
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as found:
        yield found


def set_screen(browser: Browser, width: int, *, dark: bool = False, medium: str = "") -> None:
    for command, values in {
        "setDeviceMetricsOverride": {
            "width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500
        },
        "setEmulatedMedia": {
            "media": medium,
            "features": [{"name": "prefers-color-scheme", "value": "dark" if dark else "light"}],
        },
    }.items():  # fmt: skip
        call = {"cmd": f"Emulation.{command}", "params": values}
        browser.call("POST", "/goog/cdp/execute", call)


@pytest.mark.parametrize("width", [320, 400, 800, 1100, 1600])
def test_nothing_is_cut_off_on_any_screen(
    width: int, browser: Browser, page: Path, crowded: Path
) -> None:
    """Nothing sticks out of the window, and no table has to be pushed to be read."""
    set_screen(browser, width)
    for path in (page, crowded):
        browser.open(path.as_uri())
        assert browser.run("return document.documentElement.scrollWidth <= innerWidth")
        wide = (
            "return [...document.querySelectorAll('main > *, th, td')].filter(e => "
            "e.getClientRects().length && !e.closest('.heard, thead') "
            "&& e.scrollWidth > e.clientWidth + 1).map(e => e.outerHTML.slice(0, 200))"
        )
        assert browser.run(wide) == []


def test_it_asks_the_network_for_nothing_and_complains_of_nothing(
    browser: Browser, crowded: Path
) -> None:
    browser.open(crowded.as_uri())
    assert browser.run("return performance.getEntriesByType('resource').length") == 0
    assert browser.log() == []


def test_it_says_the_same_without_scripts(page: Path, browser: Browser) -> None:
    set_screen(browser, 1100)
    browser.open(page.as_uri())
    with browsing(script=False) as plain:
        set_screen(plain, 1100)
        plain.open(page.as_uri())
        assert plain.text() == browser.text()


def test_paper_stays_white_for_people_who_like_it_dark(browser: Browser, page: Path) -> None:
    colour = "return getComputedStyle(document.body).backgroundColor"
    set_screen(browser, 1100, dark=True)
    browser.open(page.as_uri())
    assert browser.run(colour) != "rgb(255, 255, 255)"
    set_screen(browser, 1100, dark=True, medium="print")
    assert browser.run(colour) == "rgb(255, 255, 255)"
    set_screen(browser, 1100)


def test_the_browser_understands_the_page(page: Path) -> None:
    """Nothing is moved or closed on our behalf: its document has the elements of ours."""
    ours, theirs = Page(page.read_text(encoding="utf-8")), Page(dom(page))
    assert theirs.text == ours.text
    kinds = [tag for tag, _ in theirs.elements if tag != "tbody"]
    assert kinds == [tag for tag, _ in ours.elements]


def test_light_and_dark_look_different(page: Path, tmp_path: Path) -> None:
    light = screenshot(page, tmp_path / "light.png")
    dark = screenshot(page, tmp_path / "dark.png", dark=True)
    assert light.startswith(b"\x89PNG")
    assert light != dark


def test_it_prints_on_several_pages_with_the_checks_open(page: Path, tmp_path: Path) -> None:
    data = print_pages(page, tmp_path / "report.pdf")
    assert data.startswith(b"%PDF")
    counts = [int(count) for count in re.findall(rb"/Type\s*/Pages.*?/Count (\d+)", data, re.S)]
    closed = tmp_path / "closed.html"
    text = page.read_text(encoding="utf-8")
    closed.write_text(text.replace("details::details-content", "details.never"), encoding="utf-8")
    other = print_pages(closed, tmp_path / "closed.pdf")
    others = [int(count) for count in re.findall(rb"/Type\s*/Pages.*?/Count (\d+)", other, re.S)]
    assert max(counts) > max(others), "closed checks take less paper"
