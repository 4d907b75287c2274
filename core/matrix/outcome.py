"""What became of the deltas of a matrix."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from dataclasses import dataclass

from fotabuild.steps.delta import DeltaStep


class Outcome(enum.Enum):
    """What became of one delta.

    Attributes:
        MADE: the engine made it.
        REUSED: it was in the cache.
        FULL_IMAGE: it is not worth it, or the old image has no decoder for it; these devices get
            the full image.
        FAILED: it could not be made.
        PLANNED: in a dry run: it would be made or taken from the cache, if it is worth it.
    """

    MADE = "made"
    REUSED = "reused"
    FULL_IMAGE = "full-image"
    FAILED = "failed"
    PLANNED = "planned"


@dataclass(frozen=True)
class Row:
    """One delta.

    Attributes:
        index: its place in the matrix.
        outcome: what became of it.
        text: size and share, or why there is none.
        warnings: what is right and still worth knowing.
        computed: whether the engine ran for it.
        seconds: time that it took.
        code: code of the error, if it failed or is not worth it.
        exit_status: exit status that belongs to the error.
    """

    index: int
    outcome: Outcome
    text: str
    warnings: tuple[str, ...] = ()
    computed: bool = False
    seconds: float = 0.0
    code: str | None = None
    exit_status: int = 0


@dataclass(frozen=True)
class MatrixResult:
    """A whole matrix.

    Attributes:
        steps: its deltas.
        rows: what became of each, in the same order.
        seconds: time that all of it took.
    """

    steps: Sequence[DeltaStep]
    rows: Sequence[Row]
    seconds: float

    @property
    def computed(self) -> int:
        """How often the engine ran."""
        return sum(row.computed for row in self.rows)

    def count(self, outcome: Outcome) -> int:
        """Return how many deltas came out like this."""
        return sum(row.outcome is outcome for row in self.rows)
