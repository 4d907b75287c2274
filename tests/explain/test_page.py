"""The page stands alone, is well-formed, and quotes hostile names."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ElementTree

import pytest

from fotabuild.delta.encoder import make_patch
from fotabuild.explain.block_sizes import BlockChoice
from fotabuild.explain.explanation import Explanation, explain
from fotabuild.explain.page import to_page
from fotabuild.formats.elf_symbols import read_map

from .scene import NEW, NEW_ELF, OLD, OLD_ELF

SVG = "{http://www.w3.org/2000/svg}"


@pytest.fixture(scope="module")
def explanation() -> Explanation:
    patch = make_patch(OLD, NEW).data
    return explain(
        patch,
        len(NEW),
        512,
        new_map=read_map(NEW_ELF),
        old_map=read_map(OLD_ELF),
        choices=[BlockChoice(512, len(patch)), BlockChoice(1024, len(patch) - 50)],
    )


@pytest.fixture(scope="module")
def page(explanation: Explanation) -> str:
    return to_page(explanation, "1.0.0 <to> 1.1.0")


def test_needs_nothing_else_and_runs_nothing(page: str) -> None:
    without = page.replace('xmlns="http://www.w3.org/2000/svg"', "")
    assert not re.search(r"https?:|src=|href=|<script|@import|url\(", without)


def test_same_explanation_same_bytes(page: str, explanation: Explanation) -> None:
    assert to_page(explanation, "1.0.0 <to> 1.1.0") == page


def test_names_are_quoted(page: str) -> None:
    assert "table<>" not in page
    assert "table&lt;&gt;&amp;&quot;" in page
    assert "<title>1.0.0 &lt;to&gt; 1.1.0</title>" in page


def test_pictures_are_well_formed_and_show_every_contributor(
    page: str, explanation: Explanation
) -> None:
    pictures = [ElementTree.fromstring(text) for text in re.findall(r"<svg.*?</svg>", page, re.S)]
    along, bars = pictures
    titles = [element.text or "" for element in bars.iter(f"{SVG}title")]
    assert len(titles) == len(explanation.parts)
    # The bars of a share are as long, together, as its cost says.
    totals = []
    for group in bars.iter(f"{SVG}g"):
        totals.append(sum(float(bar.get("width", 0)) for bar in group.iter(f"{SVG}rect")))
    scale = totals[0] / explanation.parts[0].total
    for total, share in zip(totals, explanation.parts, strict=True):
        assert total == pytest.approx(share.total * scale, abs=0.5)
    assert len(list(along.iter(f"{SVG}g"))) == len(explanation.columns) + len(explanation.sections)


def test_nothing_lies_outside_the_picture(page: str) -> None:
    for text in re.findall(r"<svg.*?</svg>", page, re.S):
        picture = ElementTree.fromstring(text)
        _, _, width, height = map(float, picture.get("viewBox", "").split())
        for bar in picture.iter(f"{SVG}rect"):
            x, y, w, h = (float(bar.get(name, 0)) for name in ("x", "y", "width", "height"))
            assert -0.01 <= x <= x + w <= width + 1
            assert -0.01 <= y <= y + h <= height + 1
