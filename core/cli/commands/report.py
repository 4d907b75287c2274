"""``fotabuild report``: a page and a JSON about a folder of artifacts."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.cli.options import Subparsers
from fotabuild.cli.output import Output
from fotabuild.cli.release_folder import Scene, add_folder, read_scene
from fotabuild.errors import ExitStatus, UsageError, VerificationError

if TYPE_CHECKING:
    from fotabuild.config.model import Project
    from fotabuild.report.model import Change
    from fotabuild.report.summary import Subject
    from fotabuild.report.verification import FolderVerification

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
    parser.add_argument("--title", help="headline (default: the model and the versions)")
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
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """Check the folder and write both files."""
    from fotabuild.report.folder import REPORT_SUFFIXES
    from fotabuild.report.summary import make_report
    from fotabuild.report.verification import FolderVerifier
    from fotabuild.report.writing import write_report

    page = args.output or args.folder / _DEFAULT_NAME
    if not page.name.endswith(REPORT_SUFFIXES[0]):
        raise UsageError(f"the name of the page must end with {REPORT_SUFFIXES[0]}")
    scene = read_scene(args)
    found = FolderVerifier(scene.folder, scene.device, scene.precursors).run()
    subject = _subject(args, scene, found)
    changes = _changes(args, scene, found, subject)
    report = make_report(found, scene.folder, subject, changes)
    files = write_report(report, page, [artifact.path for artifact in scene.folder.artifacts])
    output.say(f"report    {page.name}: {len(report.updates)} updates, {len(report.files)} files")
    output.result(
        {"accepted": report.accepted, "files": [str(file) for file in files]},
        "\n".join(map(str, files)),
    )
    if report.accepted:
        return ExitStatus.OK
    error = VerificationError("checks failed, see the report", file=args.folder)
    output.fail(error)
    return error.exit_status


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
