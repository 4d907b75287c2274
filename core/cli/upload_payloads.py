"""The payloads of an upload to a service: made when a device needs them, each once."""

from __future__ import annotations

from collections.abc import Sequence

from fotabuild.cli.deltas import BuildDeltas
from fotabuild.cli.upload_plan import Candidate
from fotabuild.digest import sha256
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.publish.events import Note, Report
from fotabuild.publish.grouping import Payload
from fotabuild.publish.names import artifacts_of
from fotabuild.steps.step import Step, StepKind


class Payloads:
    """What could be sent. A delta that turns out not to be worth it drops out.

    Args:
        found: the candidates.
        deltas: runs their steps, and says which deltas are left out.
        built: everything was made before; make nothing.
        report: hears what is made.
    """

    def __init__(
        self, found: Sequence[Candidate], deltas: BuildDeltas, *, built: bool, report: Report
    ) -> None:
        self._candidates = {candidate.key: candidate for candidate in found}
        self._deltas = deltas
        self._built = built
        self._report = report
        self._done: set[Step] = set()

    def __getitem__(self, key: str) -> Candidate:
        """Return the candidate for an update's key, such as ``full/2``."""
        return self._candidates[artifacts_of(key)]

    def on_offer(self) -> list[Payload]:
        """Return what grouping needs to know of each; reads the old images of deltas."""
        return [candidate.payload() for candidate in self._candidates.values()]

    def provide(self, key: str) -> bool:
        """Make a payload; return whether there is one to send.

        Raises:
            ThresholdError: it is not worth it, and nothing else is to be sent.
            FotabuildError: it cannot be made.
        """
        candidate = self._candidates.get(artifacts_of(key))
        if candidate is None:  # Another plan had it.
            return False
        if all(self._make(step) for step in candidate.steps):
            return True
        del self._candidates[candidate.key]
        return False

    def image_digest(self) -> str:
        """Return the digest of the image that all payloads lead to; nothing if it is not there."""
        steps = (step for one in self._candidates.values() for step in one.steps)
        step = next((step for step in steps if step.kind is StepKind.IMAGE), None)
        if step is None:
            return ""
        self._make(step)
        path = step.outputs[0]
        return sha256(read_file(path, READ_LIMITS.image, "image")).hex() if path.exists() else ""

    def _make(self, step: Step) -> bool:
        """Run a step, unless that was done; return whether its outputs are there."""
        if step in self._done:
            return True
        if self._built:
            return self._deltas.is_built(step)
        result = self._deltas.run(step)
        if result is None:
            return False
        self._done.add(step)
        self._report(Note(f"{step.kind.value:<10}{step.outputs[0].name}: {result.summary}"))
        for warning in result.warnings:
            self._report(Note(warning, True))
        return True
