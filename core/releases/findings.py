"""What can be wrong with a store."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class Problem(enum.Enum):
    """What can be wrong with a file of a store."""

    DAMAGED_RECORD = "damaged-record"
    LOST_RECORD = "lost-record"
    DAMAGED_MARK = "damaged-mark"
    LOST_MARK = "lost-mark"
    STRAY_MARK = "stray-mark"
    MISSING_BLOB = "missing-blob"
    DAMAGED_BLOB = "damaged-blob"
    OUTDATED_INDEX = "outdated-index"
    UNUSED_FILE = "unused-file"


@dataclass(frozen=True)
class Finding:
    """One problem.

    Attributes:
        problem: its kind.
        name: the file in the store.
        detail: what is wrong.
        healed: whether it is gone now.
        harmless: whether releases are all right in spite of it.
        healable: whether the store alone can heal it, without adding a release again.
    """

    problem: Problem
    name: str
    detail: str
    healed: bool = False
    harmless: bool = False
    healable: bool = True
