"""``fotabuild build --prepare|--sign|--attach``: a build whose key is on another machine."""

from __future__ import annotations

import argparse
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.artifacts import say_result
from fotabuild.cli.deltas import BuildDeltas
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, printable
from fotabuild.files.folders import renames_flushed_together

if TYPE_CHECKING:
    from fotabuild.steps.manifest_apart import ManifestApart, Stage
    from fotabuild.steps.step import Step, StepResult

#: The values of fotabuild.steps.manifest_apart.Stage, which --help must not import.
_STAGES = ("prepare", "sign", "attach")


def add_stages(parser: argparse.ArgumentParser) -> None:
    """Add an option for each stage."""
    stages = parser.add_mutually_exclusive_group()
    stages.add_argument(
        "--prepare",
        type=Path,
        metavar="DIR",
        help="use no key: make everything but the manifests, and write what is to be signed of "
        "each to DIR/MANIFEST.tbs",
    )
    stages.add_argument(
        "--sign",
        type=Path,
        metavar="DIR",
        help="make nothing: compare what was prepared with the artifacts and sign it, to "
        "DIR/MANIFEST.sig",
    )
    stages.add_argument(
        "--attach",
        type=Path,
        metavar="DIR",
        help="use no key: make the manifests of what was prepared and signed",
    )


def stage_from(args: argparse.Namespace) -> tuple[Stage, Path] | None:
    """Return the stage that the options ask for and its folder, or None."""
    for name in _STAGES:
        folder: Path | None = getattr(args, name)
        if folder is not None:
            from fotabuild.steps.manifest_apart import Stage

            return Stage(name), folder.absolute()
    return None


class SigningApart:
    """Runs one stage of a plan.

    Args:
        stage: the stage.
        folder: where prepared bytes and signatures are.
        deltas: runs the steps that make payloads.
        output: hears what is made.
    """

    def __init__(self, stage: Stage, folder: Path, deltas: BuildDeltas, output: Output) -> None:
        self._stage = stage
        self._folder = folder
        self._deltas = deltas
        self._output = output

    def run(self, steps: Sequence[Step], *, dry_run: bool) -> int:
        """Run the stage, or say what it would do, and print the names of the files."""
        from fotabuild.steps.manifest_apart import Stage

        made: list[Path] = []
        said: set[str] = set()
        chosen = list(self._chosen(steps))
        if self._stage is not Stage.PREPARE and not dry_run:
            # All of them before the key is used for the first.
            for step, part in chosen:
                self._check(step, part)
        with renames_flushed_together():
            for step, part in chosen:
                outputs = step.outputs if part is None else (part.output(self._stage),)
                if dry_run:
                    self._output.say(f"would make {outputs[0].name}")
                else:
                    result = self._run_one(step, part)
                    if result is None:
                        continue
                    if part is None:
                        say_result(self._output, step, result, said)
                    else:
                        self._say(outputs[0], result, said)
                made += outputs
        files = [str(path) for path in made]
        values = {"dry-run": dry_run, "stage": self._stage.value, "files": files}
        self._output.result({**values, "notes": self._deltas.notes}, "\n".join(files))
        return ExitStatus.OK

    def _chosen(self, steps: Sequence[Step]) -> Iterator[tuple[Step, ManifestApart | None]]:
        """Yield the steps of this stage; those of manifests as what is done apart."""
        from fotabuild.steps.manifest_apart import AnyManifest, ManifestApart, Stage
        from fotabuild.steps.step import StepKind

        makers = {path: step for step in steps for path in step.outputs}
        for step in steps:
            if isinstance(step, AnyManifest):
                yield step, ManifestApart(step, self._folder, makers.get(step.inputs[0]))
            elif self._stage is (Stage.ATTACH if step.kind is StepKind.REPORT else Stage.PREPARE):
                yield step, None

    def _check(self, step: Step, part: ManifestApart | None) -> None:
        """Look at what was handed over for a step, before anything is written."""
        from fotabuild.steps.handed_over import refuse_links
        from fotabuild.steps.manifest_apart import Stage

        if part is None:
            refuse_links(step.outputs)
            return
        part.refuse_links()
        if self._is_left_out(step, part):
            self._deltas.refuse_missing(step)
        elif self._stage is Stage.SIGN:
            part.check()

    def _run_one(self, step: Step, part: ManifestApart | None) -> StepResult | None:
        """Run a step; return None if it is left out."""
        from fotabuild.steps.manifest_apart import Stage

        if part is None:
            return self._deltas.run(step)
        if self._stage is Stage.PREPARE:
            left_out = self._deltas.leaves_out(step)
        else:
            left_out = self._is_left_out(step, part)
            if left_out:
                self._deltas.note(f"no {step.outputs[0].name}: it has no delta")
        if not left_out:
            return part.run(self._stage)
        # Of an earlier build: nobody shall publish it.
        for path in (part.prepared, part.signature, *step.outputs):
            path.unlink(missing_ok=True)
        return None

    def _is_left_out(self, step: Step, part: ManifestApart) -> bool:
        """Whether the delta of a manifest was not worth it where deltas were made."""
        gone = not step.inputs[0].exists() and not part.prepared.exists()
        return gone and self._deltas.may_leave_out(step)

    def _say(self, path: Path, result: StepResult, said: set[str]) -> None:
        self._output.say(printable(f"{self._stage.value:<10}{path.name}: {result.summary}"))
        for warning in result.warnings:
            if warning not in said:
                self._output.warn(warning)
            said.add(warning)
