"""The forms in which manifests are shown, and the name of stdin and stdout."""

from __future__ import annotations

import enum
from pathlib import Path

#: Stands for stdin or stdout in place of a file.
STREAM = Path("-")


class View(enum.Enum):
    """Forms in which an envelope is written or printed."""

    SUIT = "suit"
    DIAGNOSTIC = "diag"
    JSON = "json"
    HEX = "hex"
    EXPLANATION = "explain"
