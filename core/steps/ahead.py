"""What shows of steps before the first of them runs: nothing is written, no file is half done."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from pathlib import Path

from fotabuild.files.reading import check_file
from fotabuild.steps.step import SigningStep, Step


def check_inputs(steps: Sequence[Step]) -> None:
    """Refuse steps whose inputs are not there. Images are not read, private keys not opened.

    Args:
        steps: in the order in which they run; what one makes, a later one may read.

    Raises:
        FotabuildError: as the step that would fail.
    """
    made: set[Path] = set()

    def check(path: Path, limit: int, what: str) -> None:
        if path not in made:
            check_file(path, limit, what)

    for step in steps:
        step.check_inputs(check)
        made.update(step.outputs)


def open_keys(steps: Sequence[Step]) -> None:
    """Open each key that steps sign with, and compare it with its certificate.

    Raises:
        FotabuildError: as the step that would fail.
    """
    opened: set[Hashable] = {None}
    for step in steps:
        if isinstance(step, SigningStep) and step.signs_with not in opened:
            step.check_key()
            opened.add(step.signs_with)
