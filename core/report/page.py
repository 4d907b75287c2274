"""A report as one HTML page that needs nothing else: no script, no font, no network."""

from __future__ import annotations

from pathlib import Path

from fotabuild import __version__
from fotabuild.errors import MissingExtraError
from fotabuild.report.model import Report
from fotabuild.report.pictures import savings_picture

_TEMPLATE = "page.html"
_MINUTE, _HOUR = 60, 3600


def make_page(report: Report) -> bytes:
    """Return the page. Equal reports give equal bytes.

    Raises:
        MissingExtraError: the extra ``report`` is not installed.
    """
    try:
        import jinja2
    except ImportError:
        raise MissingExtraError(
            "the page of a report needs the extra 'report'",
            remedy="pip install 'fotabuild[report]'",
        ) from None
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
        report=report, savings=savings_picture(report.updates), version=__version__
    )
    return text.encode("utf-8", "backslashreplace")


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
