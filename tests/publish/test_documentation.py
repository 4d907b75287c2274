"""What docs/upload.md says is what the code does."""

from __future__ import annotations

from fotabuild.publish.outcome import Outcome
from fotabuild.publish.pacing import PACING
from fotabuild.publish.retry import TRANSIENT

from ..docs.pages import ROOT, code_names, first_table

PAGE = ROOT / "docs" / "upload.md"


def test_every_outcome_is_explained_with_its_status() -> None:
    rows = first_table(PAGE, "### How it ends")
    explained = {code_names(row[0])[0]: int(row[1]) for row in rows}
    assert explained == {outcome.value: int(outcome.exit_status) for outcome in Outcome}


def test_the_figures_are_those_of_the_code() -> None:
    text = " ".join(PAGE.read_text(encoding="utf-8").split())
    assert f"at most {PACING.attempts} times, for {PACING.step // 60} minutes" in text
    assert f"honoured up to {PACING.longest_wait // 60} minutes" in text
    assert f"Payloads of {PACING.one_request >> 20} MiB and more" in text
    assert f"chunks of {PACING.chunk >> 20} MiB" in text
    assert f"After {PACING.silence // 60:.0f} minutes without an answer" in text
    assert sorted(TRANSIENT) == [408, 425, 429, 500, 502, 503, 504]
    assert "408, 425, 429 and 5xx" in text
