"""The page about the server says what the code does."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from fotabuild.errors import UsageError
from fotabuild.server.limits import ServerLimits, parse_limits

from ..conftest import ROOT
from ..docs.pages import code_names, first_table

PAGE = ROOT / "docs" / "server.md"


def test_every_limit_is_explained_with_its_default() -> None:
    rows = first_table(PAGE, "## Limits")
    explained = {code_names(row[0])[0]: int(row[1]) for row in rows}
    limits = dataclasses.asdict(ServerLimits())
    assert explained == {name.replace("_", "-"): value for name, value in limits.items()}


def test_limits_are_read_as_they_are_explained() -> None:
    assert parse_limits(["images=10", "chunk-min=1"]) == ServerLimits(images=10, chunk_min=1)


@pytest.mark.parametrize("text", ["images", "images=", "images=0", "images=-1", "images=x", "x=1"])
def test_limits_that_are_wrong(text: str) -> None:
    with pytest.raises(UsageError):
        parse_limits([text])


def test_every_file_of_the_pages_is_packaged() -> None:
    folder = Path(__file__).parents[2] / "core" / "server"
    suffixes = {path.suffix for path in folder.rglob("*") if path.is_file()} - {".py", ".pyc"}
    assert suffixes == {".html", ".css", ".js", ".svg"}
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"fotabuild.server" = ["static/*", "templates/*"]' in text
