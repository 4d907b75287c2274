"""A report as one HTML page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from fotabuild import __version__
from fotabuild.errors import MissingExtraError
from fotabuild.report.model import Check, Report
from fotabuild.report.savings import FULL_LENGTH, saving_bars

_TEMPLATE = "page.html"
_MINUTE, _HOUR = 60, 3600
#: What is listed at the top; all results stand at the end of the page.
_MOST_FAILURES = 50


def make_page(report: Report) -> bytes:
    """Return the page. Equal reports give equal bytes.

    Raises:
        MissingExtraError: the extra ``report`` is not installed.
    """
    require_extra()
    import jinja2

    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters.update(bytes=_bytes, duration=duration, speed=speed)
    text = environment.get_template(_TEMPLATE).render(
        report=report,
        bars=saving_bars(report.updates),
        full_length=FULL_LENGTH,
        failures=_failures(report),
        most_failures=_MOST_FAILURES,
        version=__version__,
    )
    return text.encode("utf-8", "backslashreplace")


def _failures(report: Report) -> list[tuple[str, Check]]:
    """Return what failed, with the name of the file, empty for the folder as a whole."""
    places = [("", report.folder), *((file.name, file.checks) for file in report.files)]
    return [(name, check) for name, checks in places for check in checks if check.failed]


def require_extra() -> None:
    """Refuse to begin what would end without a page.

    Raises:
        MissingExtraError: the extra ``report`` is not installed.
    """
    if find_spec("jinja2") is None:
        raise MissingExtraError(
            "the page of a report needs the extra 'report'",
            remedy="pip install 'fotabuild[report]'",
        )


def _bytes(size: int) -> str:
    return f"{size:,}"


def duration(seconds: float) -> str:
    """Return a time for people: ``3.1 s``, ``2 min 5 s``, ``1 h 3 min``."""
    if seconds < _MINUTE:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < _HOUR:
        return f"{whole // _MINUTE} min {whole % _MINUTE} s"
    return f"{whole // _HOUR} h {whole % _HOUR // _MINUTE} min"


def speed(bits: int) -> str:
    """Return bits per second for people."""
    for factor, unit in ((1_000_000, "Mbit/s"), (1000, "kbit/s")):
        if bits >= factor:
            return f"{bits / factor:g} {unit}"
    return f"{bits} bit/s"
