"""No job of the recipes hangs for as long as a CI system lets it."""

from __future__ import annotations

from pathlib import Path

import yaml

RECIPES = Path(__file__).parents[2] / "docs" / "ci"


def test_github() -> None:
    workflow = yaml.safe_load((RECIPES / "github" / "update.yml").read_text(encoding="utf-8"))
    assert [job.get("timeout-minutes") for job in workflow["jobs"].values()] == [60] * 4


def test_gitlab() -> None:
    values = yaml.safe_load((RECIPES / "gitlab-ci.yml").read_text(encoding="utf-8"))
    assert values["default"]["timeout"] == "1h"


def test_jenkins() -> None:
    pipeline = (RECIPES / "Jenkinsfile").read_text(encoding="utf-8")
    options = pipeline.partition("    options {\n")[2].partition("    }\n")[0]
    assert options.strip() == "timeout(time: 4, unit: 'HOURS')"
    assert pipeline.index("options {") < pipeline.index("stages {")
