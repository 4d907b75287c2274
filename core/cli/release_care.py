"""``fotabuild release retire``, ``fsck`` and ``pull``."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

from fotabuild.cli.options import read_config
from fotabuild.cli.output import Output
from fotabuild.cli.release_store import (
    component_of,
    date_of,
    entry_values,
    open_store,
    store_section,
)
from fotabuild.errors import ExitStatus, StoreDamageError, printable

if TYPE_CHECKING:
    from fotabuild.releases.findings import Finding
    from fotabuild.releases.release import Entry, Release


def run_retire(args: argparse.Namespace, output: Output) -> int:
    """Take a release out of the field, or back."""
    store, component = open_store(args), component_of(args)
    state = "in the field" if args.undo else "retired"
    title = f"{component} {args.version}"
    if args.dry_run:
        entry, changed = store.foresee_mark(
            component, args.version, date_of(args), retired=not args.undo
        )
        would = f"would put {title} back in the field" if args.undo else f"would retire {title}"
        output.say(would if changed else f"{title}: {state}, as before")
    else:
        change = store.restore if args.undo else store.retire
        changed = change(component, args.version, date_of(args))
        output.say(f"{title}: {state}{'' if changed else ', as before'}")
        entry = store.find(component, args.version)
    values = {"dry-run": args.dry_run, "release": entry_values(entry), "changed": changed}
    output.result(values, "")
    return ExitStatus.OK


def run_fsck(args: argparse.Namespace, output: Output) -> int:
    """Check everything and heal what can be healed."""
    from fotabuild.releases.fsck import check_store

    store = open_store(args)
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
        remedy=_remedy(bad, report_only=args.report_only),
    )
    output.fail(error)
    return error.exit_status


def _remedy(bad: Sequence[Finding], *, report_only: bool) -> str:
    """Return what to do about findings that are left."""
    again = (
        "add damaged releases again with their images; remove the record of one that nobody has "
        "any more"
    )
    if not report_only:
        return again
    lost = [finding for finding in bad if not finding.healable]
    without = "run it without --report-only"
    if not lost:
        return without
    return again if len(lost) == len(bad) else f"{without}; {again}"


def run_pull(args: argparse.Namespace, output: Output) -> int:
    """Bring the mirror of a store up to date."""
    from fotabuild.formats.firmware_version import FirmwareVersion
    from fotabuild.plan.field_releases import choose_releases, store_folder
    from fotabuild.releases.folder import FolderStorage
    from fotabuild.releases.mirror import pull
    from fotabuild.releases.places import is_url

    config = read_config(args)
    section = store_section(config)
    if not is_url(section.store):
        output.say("the store is a folder here: builds read it as it is")
        output.result({"releases": 0, "fetched": 0, "bytes": 0, "removed": 0}, "")
        return ExitStatus.OK
    version = None if args.fw_version is None else FirmwareVersion.parse(args.fw_version)
    component = args.component or config.project.component

    def choose(entries: Sequence[Entry]) -> Iterable[Release]:
        chosen = choose_releases(section, component, entries, version)
        return [one.release for one in chosen if one.reason is None]

    folder = store_folder(config, section)
    pulled = pull(open_store(args), FolderStorage(folder), choose)
    output.say(
        f"{pulled.releases} releases that may get a delta, {pulled.fetched} files fetched "
        f"({pulled.size} bytes), {pulled.removed} removed"
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
