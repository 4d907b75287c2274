"""docs/cmake.md names every function, keyword, property and variable."""

from __future__ import annotations

import re

import pytest

from ..conftest import ROOT

PAGE = (ROOT / "docs" / "cmake.md").read_text(encoding="utf-8")
MODULES = "".join(
    path.read_text(encoding="utf-8") for path in sorted((ROOT / "plugins/cmake").glob("*.cmake"))
)
FUNCTION = re.compile(r"^function\((fotabuild_\w+).*?^endfunction", re.MULTILINE | re.DOTALL)
FUNCTIONS = {found[1]: found[0] for found in FUNCTION.finditer(MODULES)}


def _keywords(body: str) -> set[str]:
    found = re.search(r"cmake_parse_arguments\(PARSE_ARGV 1 ARG(.*?)\)\n", body, re.DOTALL)
    assert found is not None
    return {word for text in re.findall(r'"([^"]*)"', found[1]) for word in text.split(";") if word}


@pytest.mark.parametrize("function", FUNCTIONS)
def test_every_keyword_is_explained(function: str) -> None:
    section = PAGE.split("## A whole update" if "update" in function else "## Single artifacts")[1]
    rows = section.split("\n## ")[0]
    if "update" not in function:
        (rows,) = (line for line in rows.splitlines() if line.startswith(f"| `{function}("))
    named = set(re.findall(r"\b[A-Z][A-Z_]+[A-Z]\b", re.sub(r"FOTABUILD_\w+", "", rows)))
    assert _keywords(FUNCTIONS[function]) <= named


def test_there_are_six_functions() -> None:
    assert len(FUNCTIONS) == 6


def test_every_property_and_variable_is_named() -> None:
    used = set(re.findall(r"\bFOTABUILD_[A-Z]+(?:_[A-Z]+)*\b", MODULES))
    used |= {f"FOTABUILD_{name}" for name in re.findall(r"set\(property_of_\S+ (\w+)\)", MODULES)}
    assert used - set(re.findall(r"FOTABUILD_[A-Z_]+[A-Z]", PAGE)) == set()
    assert len(used) > 10
