"""The documentation as a site: built strictly, complete, and loading nothing from elsewhere."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from html.parser import HTMLParser
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[2]
PAGES = [path.relative_to(ROOT / "docs") for path in sorted((ROOT / "docs").rglob("*.md"))]


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site") / "site"
    done = subprocess.run(
        [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", folder],
        cwd=ROOT,
        env={**os.environ, "NO_MKDOCS_2_WARNING": "1"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return folder


class _Loads(HTMLParser):
    """What a page loads, and where its links lead."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loads: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        self.ids.add(values.get("id", ""))
        if tag in ("script", "img", "iframe"):
            self.loads.append(values.get("src", ""))
        elif tag == "link" and values.get("rel") in ("stylesheet", "icon", "preconnect"):
            self.loads.append(values["href"])
        elif tag == "a":
            self.links.append(values.get("href", ""))


def _load_all(site: Path) -> dict[Path, _Loads]:
    return {path: _Loads(path.read_text(encoding="utf-8")) for path in site.rglob("*.html")}


def test_every_page_is_in_the_site(site: Path) -> None:
    for page in PAGES:
        assert (site / page.with_suffix(".html")).is_file(), page


def test_every_page_but_decisions_is_in_the_navigation() -> None:
    # The file holds no tags of Python: pages and plugins are named in words.
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    named = set(re.findall(r": ([\w/-]+\.md)$", text, re.MULTILINE))
    assert named == {page.as_posix() for page in PAGES if page.parts[0] != "decisions"}
    assert yaml.safe_load(text)["strict"] is True


def test_links_inside_of_the_site_lead_somewhere(site: Path) -> None:
    pages = _load_all(site)
    checked = 0
    for path, page in pages.items():
        if path.name == "404.html":
            continue
        for link in page.links:
            target, _, anchor = link.partition("#")
            if ":" in target or not link:
                continue
            place = (path.parent / target).resolve() if target else path
            assert place.exists(), f"{path.name}: {link}"
            if anchor and place in pages:
                assert anchor in pages[place].ids, f"{path.name}: {link}"
            checked += 1
    assert checked > 100


def test_nothing_is_loaded_from_elsewhere(site: Path) -> None:
    for path, page in _load_all(site).items():
        for load in page.loads:
            assert "//" not in load, f"{path.name} loads {load}"


def test_marks_of_the_examples_are_not_seen(site: Path) -> None:
    text = (site / "tutorial.html").read_text(encoding="utf-8")
    assert "&lt;!-- start" not in text
    assert "fotabuild init" in re.sub("<[^>]+>", "", text)


def test_lists_in_lists_are_indented_as_the_site_needs_it() -> None:
    """With less than four spaces GitHub shows a list in a list, and the site a flat one."""
    flat = re.compile(r"^(?:[-*]|\d+\.) .*\n(?:.+\n)*? {1,3}(?:[-*] |\d+\. |```)", re.MULTILINE)
    for page in PAGES:
        found = flat.search((ROOT / "docs" / page).read_text(encoding="utf-8"))
        assert found is None, f"{page}: {found[0] if found else ''}"


def test_no_code_of_ours_is_published(site: Path) -> None:
    assert list(site.rglob("*.py")) == []
