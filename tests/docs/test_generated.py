"""Pages that are made from the code are up to date, and made the same on every Python."""

from __future__ import annotations

import re
import subprocess
import sys

from fotabuild import errors
from fotabuild.errors import FotabuildError

from .pages import PAGES, ROOT, code_names, first_table


def test_generated_pages_are_up_to_date() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"],
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, f"run docs/generate.py:\n{done.stdout}{done.stderr}"


def test_the_readme_shows_the_help() -> None:
    """The check above would not notice a README that has lost the marks of the block."""
    block = re.search(
        r"<!-- help: begin.*?-->\n```text\n(usage: fotabuild .*?)```\n<!-- help: end -->",
        (ROOT / "README.md").read_text(encoding="utf-8"),
        re.DOTALL,
    )
    assert block is not None
    assert "exit status: 0 ok" in block[1]


def error_classes() -> set[type[FotabuildError]]:
    """Return every class of the error tree, wherever in the package it lives."""
    found: set[type[FotabuildError]] = set()
    waiting = [FotabuildError]
    while waiting:
        kind = waiting.pop()
        waiting += kind.__subclasses__()
        if kind.__module__.startswith("fotabuild."):
            found.add(kind)
    return found


def test_every_error_is_explained_and_every_explained_error_exists() -> None:
    classes = error_classes()
    in_code = {(c.code, c.__name__, int(c.exit_status)) for c in classes}
    rows = first_table(ROOT / "docs" / "errors.md", "# Errors")
    explained = {
        (code_names(code)[0], code_names(name)[0], int(status))
        for code, name, status, _meaning, _remedy in rows
    }
    assert explained == in_code
    assert len({code for code, _, _ in in_code}) == len(classes), "a code stands for two classes"
    assert all(vars(errors).get(c.__name__) is c for c in classes), "an error lives elsewhere"


def test_every_code_in_the_documentation_exists() -> None:
    known = {kind.code for kind in error_classes()}
    for page in PAGES:
        codes = set(re.findall(r"\bFB[0-9]{4}\b", page.read_text(encoding="utf-8")))
        assert codes <= known, page.name
