"""Costs of processes, means, and the plot."""

from __future__ import annotations

import sys
import xml.etree.ElementTree as ElementTree
from typing import Any

import pytest

from ..conftest import ROOT


def _result(pair: str, size: int, wall: float, effort: str = "fast", block: int = 512) -> Any:
    from delta_runs import Result

    return Result(pair, block, effort, 1000, 100, size, 1.0, wall, wall, 1000.0, 500.0)


def test_cost_of_a_process_is_its_own() -> None:
    from process_cost import measure

    waste = bytearray(150 << 20)  # What this process takes is not what the measured one takes.
    small = measure([sys.executable, "-S", "-c", "pass"])
    large = measure([sys.executable, "-S", "-c", "bytes(1) * (1 << 26)"])
    assert len(waste)
    assert small.peak < 60 * 1024 < large.peak < 140 * 1024
    assert 0 < small.wall < 30


def test_a_failed_process_has_no_cost() -> None:
    from process_cost import measure

    with pytest.raises(RuntimeError, match="no such luck"):
        measure([sys.executable, "-c", "import sys; sys.exit('no such luck')"])


def test_means_leave_out_what_has_nothing_to_compress() -> None:
    from delta_report import to_text, to_values

    results = [_result("a", 50, 0.5), _result("b", 98, 2.0), _result("c", 100, 100.0)]
    (mean,) = to_values(results, ["a", "b"])["geometric_means"]
    assert (mean["size"], mean["wall"], mean["pairs"]) == pytest.approx((0.7, 1.0, 2))
    assert "| **geometric mean of 2** | 512 | fast | | | **0.700** | **1.00** |" in to_text(
        results, ["a", "b"]
    )


def test_tables_of_the_page() -> None:
    from delta_markdown import to_markdown

    results = [
        _result(pair, size + (effort == "fast"), wall, effort, block)
        for pair, size, wall in (("a", 50, 0.5), ("b", 98, 2.0), ("tiny", 100, 7.0))
        for block in (512, 1024)
        for effort in ("fast", "best")
    ]
    assert to_markdown(results, ["a", "b", "not run"], ["b"]).splitlines() == [
        "| pair | old image | 512: peer | fast | best | 1024: peer | fast | best |",
        "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |",
        "| a | 1000 | 100 | 0.510 | 0.500 | 100 | 0.510 | 0.500 |",
        "| b | 1000 | 100 | 0.990 | 0.980 | 100 | 0.990 | 0.980 |",
        "| tiny | 1000 | 100 | 1.010 | 1.000 | 100 | 1.010 | 1.000 |",
        "| **geometric mean of 2** |  |  | **0.711** | **0.700** |  | **0.711** | **0.700** |",
        "| **highest of 3** |  |  | **1.010** | **1.000** |  | **1.010** | **1.000** |",
        "",
        "Wall time and peak memory at block 512:",
        "",
        "| pair | wall fast | wall best | memory fast | memory best |",
        "| --- | ---: | ---: | ---: | ---: |",
        "| a | 0.50 | 0.50 | 0.50 | 0.50 |",
        "| b | 2.00 | 2.00 | 0.50 | 0.50 |",
        "| tiny | 7.00 | 7.00 | 0.50 | 0.50 |",
        "| **geometric mean of 2** | **1.00** | **1.00** | **0.50** | **0.50** |",
        "| **highest of 3** | **7.00** | **7.00** | **0.50** | **0.50** |",
        "",
        "Means leave out `tiny`.",
        "",
        "Builds of our own, not in the corpus: `b`.",
    ]


def test_the_page_has_these_tables() -> None:
    from delta import EFFORTS
    from delta_markdown import to_markdown

    page = (ROOT / "docs" / "delta.md").read_text(encoding="utf-8")
    shown = page.partition("<!-- results -->\n")[2].partition("\n<!-- end of results -->")[0]
    made = to_markdown(
        [_result("a", 50, 0.5, effort, block) for block in (512, 1024) for effort in EFFORTS],
        ["a"],
        [],
    )
    heads = [line for line in made.splitlines() if line.startswith(("| pair", "| ---", "Wall"))]
    assert [line for line in shown.splitlines() if line in heads] == heads


def test_pairs_that_count_in_no_mean_have_their_own_lines() -> None:
    from delta_markdown import to_markdown

    text = to_markdown([_result("padded-4m", 50, 0.5)], [], [])
    assert "geometric mean" not in text
    assert "| **highest of 1** |" in text


@pytest.mark.parametrize("ratios", [(0.8, 0.9), (0.01, 40.0), (1.0, 1.0), (1.5, 1.6)])
def test_plot_shows_every_ratio_inside_its_frame(ratios: tuple[float, float]) -> None:
    from dot_plot import Row, plot

    rows = [Row("<one>", {"fast": ratios[0]}), Row("two", {"fast": ratios[1], "best": ratios[0]})]
    picture = ElementTree.fromstring(plot("size & more", rows))
    texts = [element.text for element in picture.iter("{http://www.w3.org/2000/svg}text")]
    assert {"<one>", "two", "size & more", "1"} <= set(texts)
    circles = list(picture.iter("{http://www.w3.org/2000/svg}circle"))
    assert len(circles) == 2 + 1  # The legend has one for each series.
    assert all(0 <= float(circle.get("cx", -1)) <= 860 for circle in circles)


def test_synthetic_pairs_are_the_same_in_every_run(tmp_path: Any) -> None:
    from synthetic_pairs import make_pairs

    one, two = make_pairs(tmp_path / "1"), make_pairs(tmp_path / "2")
    assert [pair.name for pair in one] == [
        "padded-4m",
        "zeros-256k",
        "alternating-256k",
        "random-1m",
    ]
    for a, b in zip(one, two, strict=True):
        assert a.old.read_bytes() == b.old.read_bytes()
        assert a.new.read_bytes() == b.new.read_bytes() != a.old.read_bytes()
    assert one[0].old.stat().st_size == (4 << 20) + 16
