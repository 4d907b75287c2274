"""Write a report: the page and its JSON appear together."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from fotabuild.files.writing import OutputSet
from fotabuild.report.artifact import FOLDER_REPORTS
from fotabuild.report.model import Report
from fotabuild.report.page import make_page


def json_of(page: Path) -> Path:
    """Return the name of the JSON beside a page."""
    return page.with_suffix(".json")


def write_report(report: Report, page: Path, read: Iterable[Path]) -> tuple[Path, Path]:
    """Write page and JSON; return their names.

    Args:
        report: what they say.
        page: the page; its name ends with ``report.html``.
        read: the files that it is about, none of which is overwritten but an older report.

    Raises:
        OutputConflictError: a name is taken by something else.
        MissingExtraError: the extra ``report`` is not installed.
    """
    outputs = OutputSet(path for path in read if not path.name.endswith(FOLDER_REPORTS))
    outputs.add(page, make_page(report))
    outputs.add(json_of(page), report.encode(), describes=True)
    outputs.commit()
    return page, json_of(page)
