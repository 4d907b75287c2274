"""``fotabuild matrix``: many deltas at once."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from fotabuild.cli.options import (
    EFFORTS,
    Subparsers,
    add_config,
    add_dry_run,
    add_workforce,
    find_config,
    read_config,
    utf8_text,
    workforce_from,
)
from fotabuild.cli.output import Output, counted
from fotabuild.errors import ConfigError, ExitStatus, MatrixError, UsageError, in_file, printable

if TYPE_CHECKING:
    from fotabuild.config.loader import LoadedConfig
    from fotabuild.matrix.outcome import MatrixResult, Row
    from fotabuild.steps.delta import DeltaStep


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "matrix",
        help="make many deltas at once",
        description="Makes a delta from every old image to every new one; or the pairs of a CSV; "
        "or, with --fw-version, from every release in the field to the new image, named as a build "
        "names them. A patch that was made before is taken from the cache. A delta that is not "
        "worth it, or that the old image has no decoder for, is left out, with a note. Prints the "
        "names of the files.",
    )
    parser.add_argument(
        "--new", type=Path, nargs="+", default=[], metavar="PATH", help="new images, or folders"
    )
    source = parser.add_mutually_exclusive_group()
    source.add_argument(
        "--old", type=Path, nargs="+", default=[], metavar="PATH", help="old images, or folders"
    )
    source.add_argument(
        "--pairs",
        type=Path,
        metavar="CSV",
        help="columns old, new and, if wanted, name; in place of --old and --new",
    )
    source.add_argument(
        "-v", "--fw-version", metavar="VERSION", help="version of the new image, for a project"
    )
    parser.add_argument(
        "-o", "--output-dir", type=Path, required=True, metavar="DIR", help="folder for the patches"
    )
    parser.add_argument(
        "-b",
        "--block-size",
        type=int,
        metavar="BYTES",
        help="bound on frames (default: the configuration's, else 512)",
    )
    parser.add_argument(
        "-t",
        "--threshold",
        type=int,
        metavar="PERCENT",
        help="a patch of this share of the new image is not worth it (default: the "
        "configuration's, else 60)",
    )
    parser.add_argument(
        "--effort",
        choices=EFFORTS,
        help="how hard to look for smaller patches (default: the configuration's, else balanced)",
    )
    parser.add_argument(
        "--name", type=utf8_text, default="", help="what file names begin with (default: image's)"
    )
    add_workforce(parser)
    add_config(parser)
    add_dry_run(parser)
    parser.set_defaults(run=run)


class _Matrix(NamedTuple):
    """What is made.

    Attributes:
        steps: the deltas.
        manifests: those that a build has for each; of no delta if they are not known.
        notes: which releases get no delta, and why.
    """

    steps: Sequence[DeltaStep]
    manifests: Sequence[Sequence[Path]] = ()
    notes: Sequence[str] = ()


def run(args: argparse.Namespace, output: Output) -> int:
    """Make the deltas and say what became of each."""
    from fotabuild.cache.content_cache import default_cache
    from fotabuild.matrix.outcome import Outcome
    from fotabuild.matrix.run import foresee_matrix, run_matrix

    _check_new(args.new)
    matrix = _matrix(args)
    for note in matrix.notes:
        output.say(f"note: {note}")
    workforce = workforce_from(args)
    _check_folder(matrix.steps)

    def report(row: Row) -> None:
        name = matrix.steps[row.index].output.name
        if row.outcome is Outcome.PLANNED:
            output.say(printable(f"would make {name}"))
            return
        output.say(printable(f"{row.outcome.value:<11}{name}: {row.text}"))
        _remove_manifests(matrix, row, output)

    if args.dry_run:
        result = foresee_matrix(matrix.steps, report)
    else:
        result = run_matrix(matrix.steps, default_cache(), workforce, report, output.say)
    for warning in dict.fromkeys(w for row in result.rows for w in row.warnings):
        output.warn(warning)
    return _report(result, matrix.notes, output, dry_run=args.dry_run)


def _check_new(new: Sequence[Path]) -> None:
    """Refuse once what every delta to a new image would fail at.

    Raises:
        FileError: it cannot be read.
        DeltaError: it is no image.
        UsageError: it is a release store.
    """
    from fotabuild.files.reading import read_file
    from fotabuild.limits import READ_LIMITS
    from fotabuild.matrix.pairs import images_in
    from fotabuild.steps.delta_inputs import refuse_other

    for image in images_in(new):
        with in_file(image):
            refuse_other(read_file(image, READ_LIMITS.image, "image"), image)


def _check_folder(steps: Sequence[DeltaStep]) -> None:
    """Refuse once a folder that nothing can be written into.

    Raises:
        FileError: it is such a one.
    """
    from fotabuild.files.writing import OutputSet

    outputs = OutputSet(())
    for step in steps[:1]:
        outputs.add(step.output, b"")
    outputs.check()


def _remove_manifests(matrix: _Matrix, row: Row, output: Output) -> None:
    """Remove what a build has left of a delta that is left out: nobody must publish it."""
    from fotabuild.matrix.outcome import Outcome

    gone = row.outcome is Outcome.FULL_IMAGE and not matrix.steps[row.index].output.exists()
    if gone and matrix.manifests:
        for path in matrix.manifests[row.index]:
            if path.is_file():
                path.unlink(missing_ok=True)
                output.say(printable(f"note: removed {path.name}, the manifest of that delta"))


def _report(result: MatrixResult, notes: Sequence[str], output: Output, *, dry_run: bool) -> int:
    from fotabuild.matrix.outcome import Outcome

    counts = {outcome.value: result.count(outcome) for outcome in Outcome}
    written = [
        path
        for step, row in zip(result.steps, result.rows, strict=True)
        if row.outcome in (Outcome.MADE, Outcome.REUSED, Outcome.PLANNED)
        for path in step.outputs
    ]
    said = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    output.say(
        f"{counted(len(result.rows), 'delta')} in {result.seconds:.1f} s, "
        f"{result.computed} computed{': ' if said else ''}{said}"
    )
    left_out = [
        printable(f"no delta {step.output.name}, the full image is sent: {row.text}")
        for step, row in zip(result.steps, result.rows, strict=True)
        if row.outcome is Outcome.FULL_IMAGE
    ]
    values: dict[str, Any] = {
        "dry-run": dry_run,
        "notes": [*notes, *left_out],
        "deltas": [
            {
                "old": str(step.old_image),
                "new": str(step.new_image),
                "output": str(step.output),
                "outcome": row.outcome.value,
                "detail": row.text,
                "computed": row.computed,
                "seconds": round(row.seconds, 3),
                "code": row.code,
            }
            for step, row in zip(result.steps, result.rows, strict=True)
        ],
        "computed": result.computed,
        **counts,
        "seconds": round(result.seconds, 3),
    }
    output.result(values, "\n".join(str(path) for path in written))
    failed = [row for row in result.rows if row.outcome is Outcome.FAILED]
    if not failed:
        return ExitStatus.OK
    others = len(result.rows) > len(failed)
    output.fail(
        MatrixError(
            f"{len(failed)} of {counted(len(result.rows), 'delta')} failed",
            remedy="see above; the others are complete" if others and not dry_run else "see above",
        )
    )
    return max(row.exit_status for row in failed)


def _matrix(args: argparse.Namespace) -> _Matrix:
    from fotabuild.matrix.pairs import all_pairs, read_pairs, steps_of

    if args.fw_version is not None:
        return _matrix_of_project(args)
    if args.pairs is not None:
        if args.new:
            raise UsageError("--new and --pairs exclude each other")
        pairs = read_pairs(args.pairs)
    elif args.old and args.new:
        pairs = all_pairs(args.old, args.new)
    else:
        raise UsageError("give --old and --new, or --pairs, or --new with --fw-version")
    config = _config(args, needed=args.config is not None)
    if config is None:
        return _Matrix(steps_of(pairs, args.output_dir, lambda *paths: _plain_step(args, *paths)))
    from fotabuild.plan.make import StepMaker

    return _Matrix(steps_of(pairs, args.output_dir, StepMaker(config).delta))


def _matrix_of_project(args: argparse.Namespace) -> _Matrix:
    """Return the same deltas as a build has."""
    from fotabuild.formats.firmware_version import FirmwareVersion
    from fotabuild.plan.build import Build
    from fotabuild.plan.deltas import delta_steps
    from fotabuild.plan.make import StepMaker
    from fotabuild.plan.manifests import patch_manifests

    if len(args.new) != 1:
        raise UsageError("--fw-version needs one image with --new")
    config = _config(args, needed=True)
    assert config is not None
    build = Build(
        image=args.new[0].absolute(),
        version=FirmwareVersion.parse(args.fw_version),
        folder=args.output_dir.absolute(),
        name=args.name,
    )
    found = delta_steps(config, StepMaker(config), build, build.image)
    formats = config.project.formats
    return _Matrix(
        [delta.step for delta in found.deltas],
        [patch_manifests(formats, build, delta.since) for delta in found.deltas],
        found.notes,
    )


def _config(args: argparse.Namespace, *, needed: bool) -> LoadedConfig | None:
    """Return the configuration; None if it is not needed and there is none."""
    if not needed and args.config is None:
        try:
            find_config()
        except ConfigError:
            return None
    return read_config(
        args,
        delta__block_size=None if args.block_size is None else str(args.block_size),
        delta__threshold=None if args.threshold is None else str(args.threshold),
        delta__effort=args.effort,
    )


def _plain_step(args: argparse.Namespace, old: Path, new: Path, patch: Path) -> DeltaStep:
    """Return a delta as ``fotabuild delta`` makes it: for a device with memory for the blocks."""
    from fotabuild.config.model import Delta
    from fotabuild.delta.effort import Effort
    from fotabuild.device.patch_device import PatchDevice
    from fotabuild.formats.patch_sidecar import sidecar_of
    from fotabuild.steps.delta import DeltaStep

    size = Delta().block_size if args.block_size is None else args.block_size
    threshold = Delta().threshold if args.threshold is None else args.threshold
    if not 64 <= size <= 1 << 24:
        raise UsageError(f"--block-size must be between 64 and {1 << 24}")
    if not 1 <= threshold <= 1000:
        raise UsageError("--threshold must be between 1 and 1000")
    return DeltaStep(
        old_image=old,
        new_image=new,
        block_size=size,
        threshold=threshold,
        device=PatchDevice(memory=2 * size),
        output=patch,
        sidecar=sidecar_of(patch),
        effort=Delta().effort if args.effort is None else Effort(args.effort),
    )
