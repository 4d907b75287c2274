"""Dependency files in make's syntax, as CMake and Ninja read them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from fotabuild.steps.step import Step

_SPECIAL = re.compile(r"[ #\\]")


def encode_depfile(steps: Sequence[Step]) -> bytes:
    """Return the text that makes the first output depend on all that the steps read.

    What one of them makes for another is left out.
    """
    made = {path.absolute() for step in steps for path in step.outputs}
    read = dict.fromkeys(path.absolute() for step in steps for path in step.inputs)
    names = " ".join(_escape(path) for path in read if path not in made)
    text = f"{_escape(steps[0].outputs[0].absolute())}: {names}\n"
    return text.encode("utf-8", "surrogateescape")


def _escape(path: Path) -> str:
    return _SPECIAL.sub(r"\\\g<0>", path.as_posix()).replace("$", "$$")
