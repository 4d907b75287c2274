"""A matrix that is only looked at."""

from __future__ import annotations

from fotabuild.cache.content_cache import ContentCache
from fotabuild.matrix.outcome import Row
from fotabuild.matrix.run import Workforce, foresee_matrix, run_matrix

from .conftest import MakeSteps


def test_a_row_for_each_delta_in_their_order_and_no_file(
    make_steps: MakeSteps, cache: ContentCache
) -> None:
    steps = make_steps(4)
    # The first two are one piece of work; the third cannot be done.
    steps[1].old_image.write_bytes(steps[0].old_image.read_bytes())
    steps[2].old_image.unlink()
    heard: list[Row] = []
    foreseen = foresee_matrix(steps, heard.append)
    assert heard == foreseen.rows
    assert [row.outcome.value for row in foreseen.rows] == [
        "planned", "planned", "failed", "planned",
    ]  # fmt: skip
    assert foreseen.computed == 0
    assert not any(path.exists() for step in steps for path in step.outputs)
    made = run_matrix(steps, cache, Workforce())
    assert [row.outcome.value for row in made.rows] == ["made", "reused", "failed", "made"]
    assert (made.rows[2].text, made.rows[2].code) == (
        foreseen.rows[2].text, foreseen.rows[2].code,
    )  # fmt: skip


def test_an_empty_matrix() -> None:
    assert foresee_matrix([]).rows == []
