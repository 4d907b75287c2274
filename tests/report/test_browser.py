"""The page in a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from fotabuild.report.writing import write_report

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
