"""An explanation as one HTML page that needs nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

from fotabuild.explain.costs import Cause
from fotabuild.explain.explanation import Explanation, Share
from fotabuild.explain.names import EXTRA_ADVICE, missing_extra, readable
from fotabuild.explain.pictures import COLOURS, bars_picture, map_picture
from fotabuild.explain.text import describe_choice
from fotabuild.formats.patch_stream import HEADER_SIZE

_BARS = 30
_ROWS = 500
_STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; max-width: 920px; margin: 2em auto; padding: 0 1em;
       color: #222; background: #fff }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { padding: 2px 10px; text-align: right; border-bottom: 1px solid #e4e4e4 }
th:last-child, td:last-child { text-align: left; overflow-wrap: anywhere }
svg { max-width: 100%; height: auto }
i { display: inline-block; width: 12px; height: 12px; margin: 0 4px 0 14px }
"""
_MEANING = {
    Cause.INSERTED: "found nowhere in the old image",
    Cause.CHANGED: "made from old bytes that differ",
    Cause.UNCHANGED: "old bytes as they are; the format cannot copy for nothing",
    Cause.RECORDS: "where to read in the old image",
}


def to_page(explanation: Explanation, title: str) -> str:
    """Return the page; the same explanation gives the same bytes."""
    what = "symbols" if explanation.sections else "pieces of the image"
    share = 100 * explanation.patch_size / explanation.image_size
    parts = [
        f"<h1>{escape(title)}</h1>",
        f"<p>{explanation.patch_size} bytes, {share:.1f} % of the new image; "
        f"{HEADER_SIZE} of them are the header.</p>",
        f"<p>{''.join(_legend(explanation))}</p>",
        "<h2>Along the image</h2>",
        map_picture(explanation),
        f"<h2>Largest {what}</h2>",
        bars_picture(explanation.parts[:_BARS]),
        "<h2>Block sizes</h2>",
        _table(
            ("block size", "patch", "device memory", ""),
            (
                (
                    str(choice.block_size),
                    str(choice.patch_size),
                    str(choice.device_memory),
                    describe_choice(explanation, choice.block_size),
                )
                for choice in explanation.choices
            ),
        ),
    ]
    if explanation.sections:
        parts += ["<h2>Sections</h2>", _shares_table("section", explanation.sections)]
    name = "symbol" if explanation.sections else "offset"
    parts += [f"<h2>All {what}</h2>", _shares_table(name, explanation.parts[:_ROWS])]
    if len(explanation.parts) > _ROWS:
        parts.append(f"<p>{len(explanation.parts) - _ROWS} smaller ones are left out.</p>")
    if missing_extra(share.name for share in explanation.parts[:_ROWS]):
        parts.append(f"<p>{escape(EXTRA_ADVICE)}</p>")
    return (
        f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}'
        f"</title><style>{_STYLE}</style></head><body>\n" + "\n".join(parts) + "\n</body></html>\n"
    )


def _legend(explanation: Explanation) -> Iterable[str]:
    for cause, cost in explanation.whole.costs.items():
        yield (
            f'<i style="background:{COLOURS[cause]}"></i>{cause.value} {cost:.0f} '
            f"({_MEANING[cause]})<br>"
        )


def _shares_table(name: str, shares: Sequence[Share]) -> str:
    return _table(
        ("cost", *(cause.value for cause in Cause), "size", "offset", name),
        (
            (
                f"{share.total:.0f}",
                *(f"{share.costs[cause]:.0f}" for cause in Cause),
                str(share.size),
                f"{share.offset:#x}",
                readable(share.name) + (f" ({share.note})" if share.note else ""),
            )
            for share in shares
        ),
    )


def _table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    head = "".join(f"<th>{escape(title)}</th>" for title in titles)
    lines = ("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
    return f"<table><tr>{head}</tr>\n" + "\n".join(lines) + "</table>"
