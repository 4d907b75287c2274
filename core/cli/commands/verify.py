"""``fotabuild verify``: check a whole folder of artifacts."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from fotabuild.cli.options import Subparsers
from fotabuild.cli.output import Output
from fotabuild.cli.release_folder import add_folder, read_scene
from fotabuild.errors import ExitStatus, VerificationError, printable

if TYPE_CHECKING:
    from fotabuild.device.report import AcceptanceReport
    from fotabuild.report.verified import FolderVerification

_NAMED_FAILURES = 20


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "verify",
        help="check a whole folder of artifacts",
        description="Checks every manifest, those of SUIT too, with its payload as a device does, "
        "applies each patch "
        "to the image that it starts from where that is at hand, reads packages and side files, "
        "and verifies the statements on the origin of the files. Prints what failed or is worth "
        "knowing; with --all every check.",
    )
    add_folder(parser)
    parser.add_argument(
        "--require-provenance",
        action="store_true",
        help="fail without a signed statement on the origin of the files",
    )
    parser.add_argument("--all", action="store_true", help="also print checks that passed")
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Check and print."""
    from fotabuild.report.values import verification_values
    from fotabuild.report.verification import FolderVerifier

    scene = read_scene(args)
    for warning in scene.device.profile.warnings:
        output.warn(warning)
    found = FolderVerifier(
        scene.folder,
        scene.device,
        scene.precursors,
        need_provenance=args.require_provenance,
        several_statements=args.several_statements,
    ).run()
    text = "\n".join(printable(line) for line in _lines(found, everything=args.all))
    values: dict[str, Any] = verification_values(found)
    output.result(values, text)
    if not found.accepted:
        names = ", ".join(found.failures[:_NAMED_FAILURES])
        if len(found.failures) > _NAMED_FAILURES:
            names += f" and {len(found.failures) - _NAMED_FAILURES} more"
        error = VerificationError(f"checks failed: {names}", file=args.folder)
        output.fail(error)
        return error.exit_status
    output.say("accepted")
    return ExitStatus.OK


def _lines(found: FolderVerification, *, everything: bool) -> Iterator[str]:
    for item in found.files:
        word = "passed" if item.report.accepted else "failed"
        yield f"{word:<8} {item.artifact.name} ({item.artifact.description})"
        yield from _results(item.report, everything=everything)
    word = "passed" if found.whole.accepted else "failed"
    yield f"{word:<8} the folder"
    yield from _results(found.whole, everything=everything)


def _results(report: AcceptanceReport, *, everything: bool) -> Iterator[str]:
    from fotabuild.device.report import Verdict

    for result in report.results:
        if everything or result.verdict is not Verdict.PASSED:
            yield f"    {result.verdict.value:<8} {result.name:<24} {result.detail}"
            if result.remedy:
                yield f"    {'':<8} {'':<24} to do: {result.remedy}"
