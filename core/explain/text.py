"""An explanation as text for a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fotabuild.errors import printable
from fotabuild.explain.costs import Cause
from fotabuild.explain.explanation import Explanation, Share
from fotabuild.explain.names import EXTRA_ADVICE, missing_extra, readable, shortened
from fotabuild.formats.patch_stream import HEADER_SIZE

_LINES = 20
_LONGEST_NAME = 60


def to_text(explanation: Explanation) -> str:
    """Return the explanation; the page and the JSON have all parts, this the largest ones."""
    costs = explanation.whole.costs
    lines = [
        f"{explanation.patch_size} bytes, "
        f"{100 * explanation.patch_size / explanation.image_size:.1f} % of the image: "
        + ", ".join(f"{cause.value} {costs[cause]:.0f}" for cause in Cause)
        + f", header {HEADER_SIZE}",
        "",
        *_choices(explanation),
    ]
    if explanation.sections:
        lines += ["", *_table("section", explanation.sections)]
    title = "symbol" if explanation.sections else "offset"
    shown, left = explanation.parts[:_LINES], explanation.parts[_LINES:]
    if left:
        rest = {cause: sum(share.costs[cause] for share in left) for cause in Cause}
        size = sum(share.size for share in left)
        shown = (*shown, Share(f"in {len(left)} others", left[0].offset, size, rest))
    lines += ["", *_table(title, shown)]
    if missing_extra(share.name for share in shown):
        lines += ["", EXTRA_ADVICE]
    return "\n".join(lines)


def describe_choice(explanation: Explanation, block_size: int) -> str:
    """Return in words what a block size would change."""
    choice = next(item for item in explanation.choices if item.block_size == block_size)
    if block_size == explanation.block_size:
        return "this patch"
    change = 100 * (choice.patch_size / explanation.patch_size - 1)
    memory = choice.device_memory - 2 * explanation.block_size
    return (
        f"{abs(change):.1f} % {'smaller' if change < 0 else 'larger'}, "
        f"needs {abs(memory)} bytes {'more' if memory > 0 else 'less'} memory on the device"
    )


def _choices(explanation: Explanation) -> Iterator[str]:
    yield f"{'block size':>10}  {'patch':>8}  {'memory':>7}"
    for choice in explanation.choices:
        yield (
            f"{choice.block_size:>10}  {choice.patch_size:>8}  {choice.device_memory:>7}  "
            + describe_choice(explanation, choice.block_size)
        )


def _table(title: str, shares: Sequence[Share]) -> Iterator[str]:
    causes = "".join(f"  {cause.value:>9}" for cause in Cause)
    yield f"{'cost':>7}{causes}  {'size':>8}  {title}"
    for share in shares:
        values = "".join(f"  {share.costs[cause]:>9.0f}" for cause in Cause)
        name = shortened(printable(readable(share.name)), _LONGEST_NAME)
        note = f" ({share.note})" if share.note else ""
        yield f"{share.total:>7.0f}{values}  {share.size:>8}  {name}{note}"
