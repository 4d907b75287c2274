"""Deltas that need the same patch are one piece of work."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fotabuild.cache.content_cache import ContentCache
from fotabuild.cache.engine import needed_memory
from fotabuild.digest import sha256
from fotabuild.errors import DeltaError, FotabuildError, PrecursorMarkerError, ThresholdError
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.matrix.outcome import Outcome, Row
from fotabuild.steps.delta import DeltaStep, MadePatch


@dataclass(frozen=True)
class Work:
    """Deltas with equal images and options; the first is made, the others are copies.

    Attributes:
        key: key of their patch.
        old_digest: SHA-256 of the old image.
        new_digest: SHA-256 of the new image.
        steps: the deltas with their places in the matrix.
        memory: bytes that making the patch needs.
    """

    key: str
    old_digest: bytes
    new_digest: bytes
    steps: tuple[tuple[int, DeltaStep], ...]
    memory: int

    @property
    def step(self) -> DeltaStep:
        """The first of them."""
        return self.steps[0][1]


def gather(steps: Sequence[DeltaStep]) -> tuple[list[Work], list[Row]]:
    """Sort deltas into pieces of work, large ones first, those of one old image together.

    Returns:
        The work, and a row for each delta whose images cannot be read.
    """
    known: dict[Path, tuple[bytes, int]] = {}
    failed: list[Row] = []
    groups: dict[str, list[tuple[int, DeltaStep]]] = {}
    about: dict[str, tuple[bytes, bytes, int]] = {}
    for index, step in enumerate(steps):
        try:
            old, new = (_identify(path, known) for path in (step.old_image, step.new_image))
            key = step.patch_key(lambda path: _identify(path, known)[0])
        except FotabuildError as error:
            failed.append(failure(index, error))
            continue
        groups.setdefault(key, []).append((index, step))
        about[key] = (old[0], new[0], needed_memory(old[1], new[1]))
    work = [
        Work(key, about[key][0], about[key][1], tuple(group), about[key][2])
        for key, group in groups.items()
    ]
    work.sort(key=lambda one: (-one.memory, one.old_digest, one.new_digest))
    return work, failed


def run_work(work: Work, cache: ContentCache | None, made: MadePatch | None = None) -> list[Row]:
    """Make the patch once, and write it for every delta that needs it.

    Args:
        work: the deltas.
        cache: where patches are kept.
        made: the patch, if somebody else has just made it.
    """
    rows: list[Row] = []
    computed = made is not None
    for index, step in work.steps:
        start = time.perf_counter()
        try:
            if made is None:
                made = step.make(cache)
                computed = not made.reused
            result = step.finish(made)
            outcome = Outcome.MADE if computed else Outcome.REUSED
            row = Row(index, outcome, result.summary, result.warnings)
        except (ThresholdError, PrecursorMarkerError) as error:
            step.discard()
            row = Row(index, Outcome.FULL_IMAGE, error.problem, code=error.code)
        except FotabuildError as error:
            row = failure(index, error)
        except MemoryError:
            row = failure(index, DeltaError("there is not enough memory", remedy="lower --jobs"))
        rows.append(replace(row, computed=computed, seconds=time.perf_counter() - start))
        computed = False  # The others of this work are copies.
    return rows


def failure(index: int, error: FotabuildError) -> Row:
    """Return the row of a delta that could not be made."""
    return Row(
        index,
        Outcome.FAILED,
        str(error),
        code=error.code,
        exit_status=int(error.exit_status),
    )


def lost(work: Work, problem: str, remedy: str) -> list[Row]:
    """Return the rows of work whose process or worker was lost again and again."""
    error = DeltaError(problem, remedy=remedy)
    return [failure(index, error) for index, _ in work.steps]


def _identify(path: Path, known: dict[Path, tuple[bytes, int]]) -> tuple[bytes, int]:
    """Return digest and size of an image; each file is read once."""
    if path not in known:
        data = read_file(path, READ_LIMITS.image, "image")
        known[path] = sha256(data), len(data)
    return known[path]
