"""``fotabuild release``: the store of releases in the field."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fotabuild.cli.options import Subparsers, add_config, read_config
from fotabuild.cli.output import Output
from fotabuild.errors import ConfigError, ExitStatus, StoreDamageError, UsageError, printable

if TYPE_CHECKING:
    from fotabuild.releases.record import Entry
    from fotabuild.releases.store import ReleaseStore

_NO_STORE = "give --store, or write releases.store into the configuration"


def register(subparsers: Subparsers) -> None:
    """Add the command and its verbs."""
    parser = subparsers.add_parser("release", help="keep the releases that are in the field")
    verbs = parser.add_subparsers(dest="verb", metavar="VERB", required=True)
    _register_add(verbs)
    _register_import(verbs)
    listing = _verb(verbs, "list", "print the releases", run_list)
    listing.add_argument("--all", action="store_true", help="retired ones too")
    listing.description = "Prints version, date, size and digest of the releases in the field."
    show = _verb(verbs, "show", "print everything about a release", run_show)
    show.description = "Prints what the store knows about one release and where its image is."
    show.add_argument("version", metavar="VERSION", help="its version")
    verify = _verb(verbs, "verify", "check images with their digests", run_verify)
    verify.description = "Reads the files of some or all releases and compares their digests."
    verify.add_argument("versions", nargs="*", metavar="VERSION", help="versions (default: all)")
    retire = _verb(verbs, "retire", "take a release out of the field", run_retire)
    retire.description = (
        "Notes that no device has a release any more: it gets no deltas from now on. Its image and "
        "record stay."
    )
    retire.add_argument("version", metavar="VERSION", help="its version")
    retire.add_argument("--date", help="since when (default: SOURCE_DATE_EPOCH, or now)")
    retire.add_argument("--undo", action="store_true", help="it is in the field after all")
    fsck = _verb(verbs, "fsck", "check the whole store and heal it", run_fsck)
    fsck.description = (
        "Reads every file of the store. Records are restored from the index, the index from "
        "records; what killed writers left is removed after a day. Damaged images are named: "
        "adding the release again heals them."
    )
    fsck.add_argument("--report-only", action="store_true", help="heal nothing")
    pull = _verb(verbs, "pull", "copy a store at a URL here, for builds", run_pull)
    pull.description = (
        "Brings the index and the images that the store at a URL has in the field into the folder "
        "where builds look for them: builds use no network."
    )


def _verb(verbs: Any, name: str, summary: str, run: Any) -> argparse.ArgumentParser:
    parser: argparse.ArgumentParser = verbs.add_parser(name, help=summary)
    parser.add_argument(
        "--store", metavar="PLACE", help="folder or URL of the store (default: releases.store)"
    )
    parser.add_argument(
        "--component", metavar="NAME", help="component of the image (default: the project's)"
    )
    add_config(parser)
    parser.set_defaults(run=run)
    return parser


def _register_add(verbs: Any) -> None:
    parser = _verb(verbs, "add", "add a release", run_add)
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
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="where the image comes from, such as commit=1a2b3c; may be repeated",
    )


def _register_import(verbs: Any) -> None:
    parser = _verb(verbs, "import", "add many releases from a folder", run_import)
    parser.description = (
        "Adds all releases of a CSV with the columns version and image and, if wanted, component, "
        "date, manifest, elf and retired; other columns are kept as origin. Everything is read "
        "before anything is added."
    )
    parser.add_argument("table", type=Path, metavar="CSV", help="the list")
    parser.add_argument(
        "--folder", type=Path, metavar="DIR", help="where its files are (default: the CSV's folder)"
    )


def run_add(args: argparse.Namespace, output: Output) -> int:
    """Add one release."""
    from fotabuild.files import read_file
    from fotabuild.formats.elf_image import MAGIC
    from fotabuild.limits import READ_LIMITS
    from fotabuild.releases.store import NewRelease

    store, component = _open(args)
    image = read_file(args.image, READ_LIMITS.image, "image")
    if image.startswith(MAGIC):
        raise UsageError(
            f"{args.image} is an ELF file: add the flat image that devices have, and give this "
            "with --elf"
        )
    new = NewRelease(
        version=args.fw_version,
        component=component,
        date=args.date or _now(),
        image=image,
        manifest=args.manifest and read_file(args.manifest, READ_LIMITS.manifest, "manifest"),
        elf=args.elf and read_file(args.elf, READ_LIMITS.image, "ELF file"),
        origin=_origin(args.origin),
    )
    added = store.add(new)
    release = new.release()
    output.say(f"{release.title}: {'added' if added else 'was there already'}")
    output.result({"release": _values(_entry(new)), "added": added}, release.digest)
    return ExitStatus.OK


def run_import(args: argparse.Namespace, output: Output) -> int:
    """Add all releases of a CSV."""
    from fotabuild.releases.importing import read_import

    store, component = _open(args)
    found = read_import(args.table, args.folder or args.table.parent, component, _now())
    for new, _ in found:
        new.release()
    added = [new.release().title for new, _ in found if store.add(new)]
    for new, retired in found:
        if retired is not None:
            store.retire(new.component, new.version, retired)
    output.say(f"{len(added)} of {len(found)} releases added, the others were there already")
    output.result({"releases": len(found), "added": added}, "\n".join(map(printable, added)))
    return ExitStatus.OK


def run_list(args: argparse.Namespace, output: Output) -> int:
    """Print the releases."""
    store, component = _open(args)
    entries = [
        entry
        for entry in store.entries()
        if (args.all or entry.retired is None)
        and (args.component is None or entry.release.component == component)
    ]
    lines = []
    for entry in entries:
        release = entry.release
        state = "" if entry.retired is None else f"  retired {entry.retired}"
        lines.append(
            f"{release.component:<9} {release.version:<12} {release.date}  {release.size:>10}  "
            f"{release.digest[:16]}{state}"
        )
    output.result(
        {"releases": [_values(entry) for entry in entries]}, "\n".join(map(printable, lines))
    )
    return ExitStatus.OK


def run_show(args: argparse.Namespace, output: Output) -> int:
    """Print one release."""
    from fotabuild.releases.storage import FolderStorage
    from fotabuild.releases.store import blob_name

    store, component = _open(args)
    entry = store.find(component, args.version)
    values = _values(entry)
    name = blob_name(entry.release.digest)
    if isinstance(store.storage, FolderStorage):
        values["image"] = str(store.storage.path(name))
    else:
        values["image"] = f"{store.storage.place}/{name}"
    lines = [
        f"{key}: {value}" for key, value in values.items() if value is not None and key != "origin"
    ]
    lines += [f"origin: {key}={value}" for key, value in values["origin"].items()]
    output.result({"release": values}, "\n".join(map(printable, lines)))
    return ExitStatus.OK


def run_verify(args: argparse.Namespace, output: Output) -> int:
    """Compare files with their digests."""
    store, component = _open(args)
    if args.versions:
        entries = tuple(store.find(component, version) for version in args.versions)
    else:
        entries = store.entries()
    results: list[dict[str, Any]] = []
    for entry in entries:
        problem = None
        try:
            for digest in entry.release.digests:
                store.blob(digest, entry.release.title)
        except StoreDamageError as error:
            problem = str(error)
        results.append({"release": entry.release.title, "problem": problem})
    bad = [result for result in results if result["problem"]]
    lines = [f"{'ok' if r['problem'] is None else 'BAD':<4}{r['release']}" for r in results]
    output.result({"sound": not bad, "results": results}, "\n".join(map(printable, lines)))
    if not bad:
        return ExitStatus.OK
    damage = StoreDamageError(
        f"{len(bad)} of {len(results)} releases are damaged: {bad[0]['problem']}"
    )
    output.fail(damage)
    return damage.exit_status


def run_retire(args: argparse.Namespace, output: Output) -> int:
    """Take a release out of the field, or back."""
    store, component = _open(args)
    if args.undo:
        changed = store.restore(component, args.version)
    else:
        changed = store.retire(component, args.version, args.date or _now())
    state = "in the field" if args.undo else "retired"
    output.say(f"{component} {args.version}: {state}{'' if changed else ', as before'}")
    output.result({"release": _values(store.find(component, args.version)), "changed": changed}, "")
    return ExitStatus.OK


def run_fsck(args: argparse.Namespace, output: Output) -> int:
    """Check everything and heal what can be healed."""
    from fotabuild.releases.fsck import check_store

    store, _ = _open(args)
    count, findings = check_store(store, heal=not args.report_only)
    results = [
        {
            "problem": finding.problem.value,
            "file": finding.name,
            "detail": finding.detail,
            "healed": finding.healed,
            "harmless": finding.harmless,
        }
        for finding in findings
    ]
    lines = [
        f"{'healed' if f.healed else 'harmless' if f.harmless else 'BAD':<9}"
        f"{f.problem.value:<16}{f.name}: {f.detail}"
        for f in findings
    ]
    bad = [finding for finding in findings if not finding.healed and not finding.harmless]
    output.say(f"{count} releases checked, {len(findings)} findings, {len(bad)} need you")
    output.result(
        {"releases": count, "sound": not bad, "findings": results},
        "\n".join(map(printable, lines)),
    )
    if not bad:
        return ExitStatus.OK
    error = StoreDamageError(
        f"{len(bad)} problems are left in the store",
        file=store.storage.place,
        remedy="add damaged releases again with their images"
        if not args.report_only
        else "run it without --report-only",
    )
    output.fail(error)
    return error.exit_status


def run_pull(args: argparse.Namespace, output: Output) -> int:
    """Bring the mirror of a store up to date."""
    from fotabuild.config.model import ReleaseStore as StoreSection
    from fotabuild.plan.field_releases import store_folder
    from fotabuild.releases.mirror import pull
    from fotabuild.releases.storage import FolderStorage, is_url, open_storage
    from fotabuild.releases.store import ReleaseStore

    config = read_config(args)
    section = config.project.releases
    if not isinstance(section, StoreSection):
        raise ConfigError(
            "this project has no release store", file=config.file, field="releases.store"
        )
    if not is_url(section.store):
        output.say("the store is a folder here: builds read it as it is")
        output.result({"releases": 0, "fetched": 0, "bytes": 0, "removed": 0}, "")
        return ExitStatus.OK
    folder = store_folder(config, section)
    pulled = pull(ReleaseStore(open_storage(args.store or section.store)), FolderStorage(folder))
    output.say(
        f"{pulled.releases} images in the field, {pulled.fetched} fetched ({pulled.size} bytes), "
        f"{pulled.removed} removed"
    )
    output.result(
        {
            "folder": str(folder),
            "releases": pulled.releases,
            "fetched": pulled.fetched,
            "bytes": pulled.size,
            "removed": pulled.removed,
        },
        str(folder),
    )
    return ExitStatus.OK


def _open(args: argparse.Namespace) -> tuple[ReleaseStore, str]:
    """Return the store and the component; a configuration is needed for what is not given."""
    from fotabuild.config.model import Project
    from fotabuild.config.model import ReleaseStore as StoreSection
    from fotabuild.releases.storage import open_storage
    from fotabuild.releases.store import ReleaseStore

    place, component = args.store, args.component
    if place is None or (component is None and args.config is not None):
        project: Project = read_config(args).project
        component = component or project.component
        if place is None:
            if not isinstance(project.releases, StoreSection):
                raise ConfigError(
                    "this project has no release store", field="releases.store", remedy=_NO_STORE
                )
            place = project.releases.store
    return ReleaseStore(open_storage(place)), component or "MAIN"


def _now() -> str:
    from fotabuild.files import build_time
    from fotabuild.releases.record import date_text

    return date_text(build_time())


def _origin(texts: list[str]) -> dict[str, str]:
    origin: dict[str, str] = {}
    for text in texts:
        name, separator, value = text.partition("=")
        if not (separator and name and value) or name in origin:
            raise UsageError(f"--origin needs NAME=VALUE, each name once, not {text!r}")
        origin[name] = value
    return origin


def _entry(new: Any) -> Entry:
    from fotabuild.releases.record import Entry

    return Entry.of(new.release())


def _values(entry: Entry) -> dict[str, Any]:
    import msgspec

    return {**msgspec.to_builtins(entry.release), "retired": entry.retired}
