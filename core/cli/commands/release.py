"""``fotabuild release``: the store of releases in the field."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fotabuild.cli.options import Subparsers, add_config, add_dry_run, utf8_text
from fotabuild.cli.release_adding import run_add, run_import
from fotabuild.cli.release_care import run_fsck, run_pull, run_retire
from fotabuild.cli.release_looking import run_list, run_show, run_verify

_OF_PROJECT = "component of the image (default: the project's, or MAIN without a project)"
_FILTER = "only releases of this component (default: all)"


def register(subparsers: Subparsers) -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser("release", help="keep the releases that are in the field")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _register_add(verbs)
    _register_import(verbs)
    listing = _verb(verbs, "list", "print the releases", run_list, _FILTER)
    listing.add_argument("--all", action="store_true", help="retired ones too")
    listing.description = "Prints version, date, size and digest of the releases in the field."
    show = _verb(verbs, "show", "print everything about a release", run_show, _OF_PROJECT)
    show.description = "Prints what the store knows about one release and where its image is."
    show.add_argument("version", metavar="VERSION", help="its version")
    verify = _verb(
        verbs,
        "verify",
        "check images with their digests",
        run_verify,
        "component of the versions (default: the project's); without versions: only releases of "
        "this component (default: all)",
    )
    verify.description = "Reads the files of some or all releases and compares their digests."
    verify.add_argument("versions", nargs="*", metavar="VERSION", help="versions (default: all)")
    _register_care(verbs)


def _verb(
    verbs: Any, name: str, summary: str, run: Any, component: str | None
) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=summary)
    parser.add_argument(
        "--store", metavar="PLACE", help="folder or URL of the store (default: releases.store)"
    )
    if component is not None:
        parser.add_argument("--component", metavar="NAME", help=component)
    add_config(parser)
    parser.set_defaults(run=run)
    return parser


def _register_add(verbs: Any) -> None:
    parser = _verb(verbs, "add", "add a release", run_add, _OF_PROJECT)
    parser.description = (
        "Adds the image of a release. Adding the same again changes nothing; another image under "
        "the same version is refused."
    )
    parser.add_argument("image", type=Path, help="the flat image, exactly as installed")
    parser.add_argument(
        "-v", "--fw-version", required=True, metavar="VERSION", help="its version, 1.2.3"
    )
    parser.add_argument("--manifest", type=Path, metavar="FILE", help="its signed manifest")
    parser.add_argument("--elf", type=Path, metavar="FILE", help="its linked ELF file")
    parser.add_argument(
        "--date", help="when it was released, 2026-01-31 (default: SOURCE_DATE_EPOCH, or now)"
    )
    parser.add_argument(
        "--origin",
        type=utf8_text,
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="where the image comes from, such as commit=1a2b3c; may be repeated",
    )
    add_dry_run(parser)


def _register_import(verbs: Any) -> None:
    parser = _verb(
        verbs,
        "import",
        "add many releases from a folder",
        run_import,
        "component of lines that name none (default: the project's, or MAIN without a project)",
    )
    parser.description = (
        "Adds all releases of a CSV with the columns version and image and, if wanted, component, "
        "date, manifest, elf and retired; other columns are kept as origin. Every line and file "
        "is read and checked, and compared with the store, before the first release is added."
    )
    parser.add_argument("table", type=Path, metavar="CSV", help="the list")
    parser.add_argument(
        "--folder",
        type=Path,
        metavar="DIR",
        help="where its files are, or in folders below (default: the CSV's folder)",
    )
    add_dry_run(parser)


def _register_care(verbs: Any) -> None:
    retire = _verb(verbs, "retire", "take a release out of the field", run_retire, _OF_PROJECT)
    retire.description = (
        "Notes that no device has a release any more: it gets no deltas from now on. Its image and "
        "record stay."
    )
    retire.add_argument("version", metavar="VERSION", help="its version")
    retire.add_argument("--date", help="since when (default: SOURCE_DATE_EPOCH, or now)")
    retire.add_argument("--undo", action="store_true", help="it is in the field after all")
    add_dry_run(retire)
    fsck = _verb(verbs, "fsck", "check the whole store and heal it", run_fsck, None)
    fsck.description = (
        "Reads every file of the store. Records are restored from the index, the index from "
        "records; what killed writers left is removed after a day. Damaged images are named: "
        "adding the release again heals them."
    )
    fsck.add_argument("--report-only", action="store_true", help="heal nothing")
    pull = _verb(
        verbs,
        "pull",
        "copy a store at a URL here, for builds",
        run_pull,
        "component whose images are needed (default: the project's)",
    )
    pull.description = (
        "Brings the index of the store at a URL into the folder where builds look for it, with the "
        "images and ELF files of the releases that may get a delta: builds use no network."
    )
    pull.add_argument(
        "-v",
        "--fw-version",
        metavar="VERSION",
        help="version that will be built; with it, releases that are not among the last that "
        "releases.deltas names are left out",
    )
