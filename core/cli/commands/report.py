"""``fotabuild report``: a page and a JSON about a folder of artifacts."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.options import Subparsers, add_dry_run, utf8_text
from fotabuild.cli.output import Output, counted
from fotabuild.cli.release_folder import Scene, add_folder, read_scene
from fotabuild.errors import ExitStatus, UsageError, VerificationError

if TYPE_CHECKING:
    from fotabuild.config.model import Project
    from fotabuild.report.model import Change
    from fotabuild.report.summary import Subject
    from fotabuild.report.verified import FolderVerification

_FACTORS = {"": 1, "k": 1000, "M": 1_000_000}
_MOST_BITS = 10**12
_DEFAULT_NAME = "report.html"


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "report",
        help="write a page about a folder of artifacts",
        description="Checks the folder as 'verify' does and writes one HTML page that needs "
        "nothing else, and beside it the same as JSON: sizes, what deltas save, room below the "
        "limits of the device, memory and transfer time, signatures, digests, results of checks.",
    )
    add_folder(parser)
    parser.add_argument(
        "-o",
        "--output",
        type=Path,
        metavar="HTML",
        help=f"the page; the JSON gets the suffix .json (default: {_DEFAULT_NAME} in the folder)",
    )
    parser.add_argument(
        "--title", type=utf8_text, help="headline (default: the model and the versions)"
    )
    parser.add_argument(
        "--link-speed",
        metavar="BITS",
        help="bits per second of the devices' link, such as 20k or 1M (default: report.link-speed, "
        "or 100k)",
    )
    parser.add_argument(
        "--new-elf",
        type=Path,
        metavar="ELF",
        help="linked file of the new image, to say what changed by section and symbol",
    )
    parser.add_argument(
        "--old-elf",
        action="append",
        default=[],
        metavar="VERSION=ELF",
        help="linked file of an older release, besides those of the store; may be repeated",
    )
    add_dry_run(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Check the folder and write both files."""
    from fotabuild.files.names import same_file
    from fotabuild.report.artifact import FOLDER_REPORTS
    from fotabuild.report.page import require_extra
    from fotabuild.report.summary import make_report
    from fotabuild.report.verification import FolderVerifier
    from fotabuild.report.writing import json_of, write_report

    page = args.output or args.folder / _DEFAULT_NAME
    if not page.name.endswith(FOLDER_REPORTS[0]):
        raise UsageError(f"the name of the page must end with {FOLDER_REPORTS[0]}")
    scene = read_scene(args)
    made = [
        item.name
        for item in scene.folder.artifacts
        if any(same_file(item.path, file) for file in (page, json_of(page)))
    ]
    found = FolderVerifier(
        scene.folder,
        scene.device,
        scene.precursors,
        several_statements=args.several_statements,
        ignored=made,
    ).run()
    subject = _subject(args, scene, found)
    changes = _changes(args, scene, found, subject)
    report = make_report(found, scene.folder, subject, changes)
    _warn_of_statements(args, output, scene, page)
    files = (page, json_of(page))
    if args.dry_run:
        require_extra()
        output.say(f"would make {page.name}")
    else:
        write_report(report, page, [artifact.path for artifact in scene.folder.artifacts])
        output.say(
            f"report    {page.name}: {counted(len(report.updates), 'update')}, "
            f"{counted(len(report.files), 'file')}"
        )
    output.result(
        {
            "dry-run": args.dry_run,
            "accepted": report.accepted,
            "files": [str(file) for file in files],
        },
        "\n".join(map(str, files)),
    )
    if report.accepted:
        return ExitStatus.OK
    error = VerificationError("checks failed, see the report", file=args.folder)
    output.fail(error)
    return error.exit_status


def _warn_of_statements(args: argparse.Namespace, output: Output, scene: Scene, page: Path) -> None:
    from fotabuild.files.names import same_file
    from fotabuild.report.artifact import ArtifactKind

    inside = page.parent.resolve().is_relative_to(args.folder.resolve())
    usual = same_file(page, args.folder / _DEFAULT_NAME)
    for statement in scene.folder.of_kind(ArtifactKind.PROVENANCE):
        if inside and not usual:
            output.warn(f"{statement.name} speaks of another {page.name}: state the origin again")


def _subject(args: argparse.Namespace, scene: Scene, found: FolderVerification) -> Subject:
    from fotabuild.report.summary import Subject, default_title

    project = None if scene.config is None else scene.config.project
    model = None if project is None else project.device.model_name
    return Subject(
        title=args.title or default_title(model, found),
        device=scene.device,
        precursors=scene.precursors,
        component=None if project is None else project.component,
        link_speed=_speed(args.link_speed, project),
    )


def _changes(
    args: argparse.Namespace, scene: Scene, found: FolderVerification, subject: Subject
) -> tuple[Change, ...]:
    if args.new_elf is None:
        if args.old_elf:
            raise UsageError("--old-elf is of use only with --new-elf")
        return ()
    from fotabuild.report.changes import explain_updates
    from fotabuild.report.summary import find_updates

    elfs = {str(image.version): image.elf for image in scene.precursors.images if image.elf}
    for text in args.old_elf:
        version, separator, name = text.partition("=")
        if not separator:
            raise UsageError(f"--old-elf needs VERSION=ELF, not {text!r}")
        elfs[version] = Path(name)
    updates = find_updates(found, scene.folder, subject)
    return explain_updates(updates, scene.folder, args.new_elf, elfs)


def _speed(text: str | None, project: Project | None) -> int:
    from fotabuild.report.summary import DEFAULT_LINK_SPEED

    if text is None:
        return DEFAULT_LINK_SPEED if project is None else project.report.link_speed
    match = re.fullmatch(r"([0-9]{1,12}(?:\.[0-9]{1,3})?)([kM]?)", text)
    bits = round(float(match[1]) * _FACTORS[match[2]]) if match else 0
    if not 1 <= bits <= _MOST_BITS:
        raise UsageError(f"--link-speed needs bits per second, such as 20k, not {text!r}")
    return bits
