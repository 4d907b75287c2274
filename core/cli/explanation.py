"""Make a patch and explain it: ``fotabuild delta --explain``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.artifacts import describe, say_result
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, OutputConflictError

if TYPE_CHECKING:
    from fotabuild.steps.delta import DeltaStep


def explain_step(step: DeltaStep, output: Output, page: Path | None) -> int:
    """Make the patch, explain it, and only then judge its size: a large one needs explaining most.

    Args:
        step: the patch to make.
        output: where the explanation is printed.
        page: where the explanation with pictures goes; None for none.
    """
    from fotabuild.explain.block_sizes import BlockChoice, compare_block_sizes
    from fotabuild.explain.explanation import explain
    from fotabuild.explain.page import to_page
    from fotabuild.explain.text import to_text
    from fotabuild.files.writing import write_file

    if page is not None and page.absolute() in [path.absolute() for path in step.outputs]:
        raise OutputConflictError(
            "the explanation would overwrite the patch or its side file",
            file=page,
            remedy="choose another name",
        )
    made = step.make()
    inputs = made.inputs
    size = len(made.patch.data)
    explanation = explain(
        made.patch.data,
        len(inputs.new),
        step.block_size,
        new_map=inputs.new_map,
        old_map=inputs.old_map,
        choices=compare_block_sizes(
            inputs.old,
            inputs.new,
            BlockChoice(step.block_size, size),
            effort=step.effort,
            time_limit=step.time_limit,
            hints=inputs.hints,
        ),
    )
    if page is not None:
        title = f"{step.old_image.name} to {step.new_image.name}"
        text = to_page(explanation, title).encode("utf-8", "backslashreplace")
        write_file(page, text, inputs=step.inputs)
    if not output.as_json:
        output.result({}, to_text(explanation) + "\n")
    say_result(output, step, step.finish(made), set())
    files = [*step.outputs, *([] if page is None else [page])]
    output.result(
        {"dry-run": False, "steps": [describe(step)], "explanation": explanation.to_values()},
        "\n".join(map(str, files)),
    )
    return ExitStatus.OK
