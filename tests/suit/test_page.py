"""The example on the page about SUIT manifests is what comes out."""

from __future__ import annotations

import re

from fotabuild.formats.suit.diagnostic import diagnose
from fotabuild.formats.suit.names import SPECIFICATION, Profile

from ..conftest import ROOT
from .golden import describe, make

PAGE = (ROOT / "docs" / "formats-suit.md").read_text(encoding="utf-8")


def block(language: str) -> str:
    found = re.search(rf"```{language}\n(.*?)```", PAGE, re.DOTALL)
    assert found is not None
    return found[1]


def test_the_diagnostic_notation_is_that_of_the_input() -> None:
    assert diagnose(make(block("json").encode())) == block("text")


def test_the_page_names_every_profile_and_the_specification() -> None:
    assert describe(block("json").encode()).components[0].bootable
    for profile in Profile:
        assert f"| `{profile.value}`" in PAGE
    assert re.findall(r"draft-ietf-suit-manifest-\d+", SPECIFICATION)[0] in PAGE
