"""The deltas of a build: made together, and left out where the full image is sent."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from fotabuild.errors import (
    ExitStatus,
    MatrixError,
    PrecursorMarkerError,
    ThresholdError,
    printable,
)

if TYPE_CHECKING:
    from pathlib import Path

    from fotabuild.matrix.outcome import Row
    from fotabuild.matrix.run import Workforce
    from fotabuild.steps.delta import DeltaStep
    from fotabuild.steps.step import Step, StepResult


class BuildDeltas:
    """Runs the deltas of a plan.

    A delta that is not worth it, or that its release has no decoder for, is left out with its
    manifests, as the full image is there for these devices. What an earlier build left under
    their names is removed, so that nobody publishes it.

    Args:
        steps: all steps of the plan.
        workforce: who makes deltas.
        required: fail where a delta would be left out.
        say: hears which are left out.
        notes: what the plan leaves out, and why.
        run: runs a step.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        workforce: Workforce,
        required: bool,
        say: Callable[[str], None],
        notes: Sequence[str] = (),
        run: Callable[[Step], StepResult] = lambda step: step.run(),
    ) -> None:
        from fotabuild.steps.delta import DeltaStep

        self._deltas = [step for step in steps if isinstance(step, DeltaStep)]
        self._together = workforce.scheduler is not None or (
            workforce.jobs != 1 and len(self._deltas) > 1
        )
        self._workforce = workforce
        self._required = required
        self._say = say
        self._run = run
        #: What is left out, and why: those of the plan, and the deltas that this leaves out.
        self.notes = list(notes)
        self._rows: dict[str, Row] = {}
        self._missing: set[Path] = set()

    def run(self, step: Step) -> StepResult | None:
        """Run any step; return None if it is left out.

        Raises:
            MatrixError: a delta that was made with others failed.
            FotabuildError: the step failed.
        """
        from fotabuild.steps.delta import DeltaStep

        if self.leaves_out(step):
            for path in step.outputs:
                path.unlink(missing_ok=True)
            return None
        if not isinstance(step, DeltaStep):
            return self._run(step)
        try:
            return self._run_together(step) if self._together else self._run(step)
        except (ThresholdError, PrecursorMarkerError) as error:
            if self._required:
                raise
            step.discard()
            if error.file == step.output:  # The note begins with its name.
                error.file = None
            self._leave_out(step, str(error))
            return None

    def is_built(self, step: Step) -> bool:
        """Whether a build made what a step makes, or left it out: then run it no more."""
        from fotabuild.steps.delta import DeltaStep

        if isinstance(step, DeltaStep) and not self._required and not step.output.exists():
            self._leave_out(step, "the build made none")
            return False
        return not self.leaves_out(step)

    def note(self, text: str) -> None:
        """Say what is left out, and keep it for the result."""
        self.notes.append(printable(text))
        self._say(f"note: {printable(text)}")

    def _leave_out(self, step: DeltaStep, why: str) -> None:
        self._missing.update(step.outputs)
        self.note(f"no delta {step.output.name}, the full image is sent: {why}")

    def leaves_out(self, step: Step) -> bool:
        """Whether a step needs a delta that was left out."""
        return bool(self._missing.intersection(step.inputs).difference(step.optional_inputs))

    def may_leave_out(self, step: Step) -> bool:
        """Whether a step makes a delta, or needs one."""
        patches = {path for delta in self._deltas for path in delta.outputs}
        needed = set(step.inputs).difference(step.optional_inputs)
        return not patches.isdisjoint(needed.union(step.outputs))

    def refuse_missing(self, step: Step) -> None:
        """Refuse to leave out a step whose delta was not handed over, if deltas are required.

        Raises:
            ThresholdError: they are.
        """
        if self._required:
            raise ThresholdError(
                "there is no delta, and deltas are required",
                file=step.inputs[0],
                remedy="prepare again with --require-deltas, which says why there is none",
            )

    def _run_together(self, step: DeltaStep) -> StepResult:
        from fotabuild.matrix.outcome import Outcome
        from fotabuild.steps.delta_inputs import FULL_IMAGE_HOW
        from fotabuild.steps.step import StepResult

        if not self._rows:
            self._make_all()
        row = self._rows[step.name]
        if row.outcome is Outcome.FULL_IMAGE:
            remedy = f"send the full image to this release: {FULL_IMAGE_HOW}"
            if row.code == PrecursorMarkerError.code:
                raise PrecursorMarkerError(row.text, file=step.old_image, remedy=remedy)
            raise ThresholdError(row.text, file=step.output, remedy=remedy)
        if row.outcome is Outcome.FAILED:
            raise MatrixError(f"{row.text} [{row.code}]", exit_status=ExitStatus(row.exit_status))
        return StepResult(row.text, row.warnings)

    def _make_all(self) -> None:
        from fotabuild.cache.content_cache import default_cache
        from fotabuild.matrix.run import run_matrix

        result = run_matrix(self._deltas, default_cache(), self._workforce, say=self._say)
        for made, row in zip(self._deltas, result.rows, strict=True):
            self._rows[made.name] = row
