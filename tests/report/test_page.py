"""What people see: nothing alarms without a reason, nothing that matters is hidden or pale."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from fotabuild.device.report import Verdict
from fotabuild.report.headroom import headroom_of
from fotabuild.report.model import Check, FileEntry, Report, Schema, Update
from fotabuild.report.page import make_page

from .html_reader import Page
from .scene import Built
from .test_report import report_of


@pytest.fixture(scope="module")
def report(pristine: Built) -> Report:
    return report_of(pristine)


def page_of(report: Report, **changes: Any) -> Page:
    page = Page(make_page(msgspec.structs.replace(report, **changes)).decode())
    assert page.open == []
    return page


def deltas_of(report: Report) -> list[Update]:
    return [u for u in report.updates if u.saving is not None and u.schema is Schema.V3]


def test_memory_that_fits_exactly_is_no_alarm(report: Report) -> None:
    (memory,) = (item for item in report.headroom if item.limit == "patch-memory")
    assert memory.used == memory.bound, "as every default build has it"
    page = page_of(report, headroom=(memory,))
    assert "fits exactly, by design" in page.text
    assert "nearest limit" not in page.text
    assert not [item for item in page.of("div") if item.get("class") == "meter"]
    assert "warning" not in {item.get("class") for item in page.of("span")}


@pytest.mark.parametrize(
    ("limit", "used", "words", "bar", "tile"),
    [
        ("patch-memory", 2048, "too large", "exceeded", "205 %"),
        ("uri-size", 1001, "too large", "exceeded", "100 %"),
        ("uri-size", 1000, "nothing left", "little", "100 %"),
        ("uri-size", 950, "nearly full", "little", "95 %"),
        ("uri-size", 500, "", "enough", "50 %"),
    ],
)
def test_shortage_is_said_in_words_too(
    limit: str, used: int, words: str, bar: str, tile: str, report: Report
) -> None:
    page = page_of(report, headroom=(headroom_of(limit, used, 1000, "a.manifest"),))
    assert bar in {item.get("class") for item in page.of("i")}
    assert f"{tile} used of the nearest limit, {limit}" in page.text
    for other in ("too large", "nothing left", "nearly full"):
        assert (other in page.text) == (other == words)


def test_bars_are_labelled_with_both_versions(report: Report) -> None:
    one, other = deltas_of(report)
    newer = msgspec.structs.replace(one, version="1.2.0")
    page = page_of(report, updates=(one, newer, other))
    for label in ("1.0.0 → 1.1.0", "1.0.0 → 1.2.0", "1.0.1 → 1.1.0"):
        assert page.texts.count(label) == 1


def test_a_delta_larger_than_the_image_saves_nothing(report: Report) -> None:
    one, _ = deltas_of(report)
    large = msgspec.structs.replace(one, saving=-12.5, payload_size=one.image_size * 9 // 8)
    page = page_of(report, updates=(large,))
    assert f"{large.payload_size:,} bytes, 12.5 % larger than the image" in page.text
    assert f"{large.payload_size:,} bytes, largest download" in page.text
    (patch,) = (item for item in page.of("rect") if item["class"] == "patch")
    assert patch["width"] == "1000.0"


def test_a_size_that_nobody_knows_is_not_zero(report: Report) -> None:
    suit = next(u for u in report.updates if u.schema is Schema.SUIT)
    missing = tuple(msgspec.structs.replace(item, file=None) for item in suit.downloads)
    lost = msgspec.structs.replace(suit, downloads=missing, payload_size=0, seconds=0.0)
    page = page_of(report, updates=(lost,))
    assert page.texts.count("unknown") == 2, "size and time"
    assert "not in this folder" in page.text
    assert "0.0 s" not in page.text


def test_counts_of_one_have_a_noun_of_one(report: Report) -> None:
    one, _ = deltas_of(report)
    assert "1 update, 1 of them a delta" in page_of(report, updates=(one,)).text
    full = next(u for u in report.updates if u.saving is None)
    assert "1 update, none of them deltas" in page_of(report, updates=(full,)).text
    empty = page_of(report, updates=())
    assert "0 updates, none of them deltas" in empty.text
    assert "No manifest here can be read." in empty.text


def test_failures_stand_at_the_top(report: Report) -> None:
    bad = Check(name="signature", verdict=Verdict.FAILED.value, detail="not by this key")
    file = FileEntry(
        name="a.manifest", kind="manifest v3", size=1, sha256="00" * 32, accepted=False,
        checks=(bad,) * 60,
    )  # fmt: skip
    page = page_of(report, files=(file,), folder=(bad,), accepted=False)
    before, _, after = page.text.partition("Updates")
    assert "What failed" in before
    assert "the folder as a whole signature not by this key a.manifest signature" in before
    assert before.count("not by this key") == 50
    assert "And 11 more" in before
    assert after.count("not by this key") == 61
    assert "What failed" not in page_of(report).text


def test_the_folder_is_not_blamed_for_a_file(report: Report) -> None:
    """Its own results are opened only where they failed."""
    assert len(page_of(report, accepted=False).of("details")) > 1
    assert not [d for d in page_of(report, accepted=False).of("details") if "open" in d]


def test_every_table_has_headers_and_a_name(report: Report) -> None:
    text = make_page(report).decode()
    tables = re.findall(r"<table[^>]*>.*?</table>", text, re.DOTALL)
    assert len(tables) > len(report.files)
    for table in tables:
        assert 'aria-label="' in table
        rows = re.findall(r"<tr>.*?</tr>", table, re.DOTALL)
        columns = [row for row in rows if 'scope="col"' in row]
        assert len(columns) == ('aria-label="Signatures"' not in table)
        width = len(re.findall("<th|<td", rows[0]))
        for row in rows:
            assert len(re.findall("<th[ >]|<td[ >]", row)) == width
            assert (row.count('scope="row"') == 1) != (row in columns)


def _luminance(colour: str) -> float:
    digits = colour[1:] if len(colour) == 7 else "".join(2 * digit for digit in colour[1:])
    parts = [int(digits[at : at + 2], 16) / 255 for at in (0, 2, 4)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(colours: Mapping[str, str], one: str, other: str) -> float:
    """Return the ratio of WCAG 2.2 between two colours of a page."""
    low, high = sorted((_luminance(colours[one]), _luminance(colours[other])))
    return (high + 0.05) / (low + 0.05)


def test_contrasts_are_those_of_wcag(report: Report) -> None:
    """Level AA: 4.5 for text, 3 for what pictures are made of."""
    text = make_page(report).decode()
    palettes = [
        dict(re.findall(r"--(\w+): (#[0-9a-f]+)", block))
        for block in re.findall(r":root \{(.*?)\}", text, re.DOTALL)
    ]
    assert len(palettes) == 2, "light and dark"
    for colours in palettes:
        for paper in ("paper", "panel"):
            for ink in ("ink", "soft", "good", "bad", "warn"):
                assert contrast(colours, ink, paper) >= 4.5, (ink, paper)
        for shape in ("patch", "edge", "warn", "bad"):
            assert contrast(colours, shape, "paper") >= 3, shape
        for filling in ("patch", "warn", "bad"):
            assert contrast(colours, filling, "full") >= 3, filling


def test_dark_is_for_screens_alone(report: Report) -> None:
    """Paper is white, and ink is dear."""
    text = make_page(report).decode()
    assert re.findall(r"@media [^{]*dark\)", text) == [
        "@media screen and (prefers-color-scheme: dark)"
    ]
