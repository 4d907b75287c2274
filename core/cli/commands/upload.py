"""``fotabuild upload``: bring a release to devices, or to where they get it from."""

from __future__ import annotations

import argparse
import os
import re
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fotabuild.cli.commands.build import add_build, build_from
from fotabuild.cli.options import Subparsers, add_dry_run, read_config
from fotabuild.cli.output import Output
from fotabuild.errors import ExitStatus, FotabuildError, UsageError

if TYPE_CHECKING:
    from fotabuild.cli.deltas import BuildDeltas
    from fotabuild.config.loader import LoadedConfig
    from fotabuild.publish.journal import Journal
    from fotabuild.steps.step import Step

_DETAILS_NOT_STORED = ("run", "command", "resume", "json", "quiet", "debug")


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "upload",
        help="publish a release: copy it, or run update campaigns",
        description="Builds what is missing and publishes it. With publish.service set, payloads "
        "and manifests go to Device Management or a local update server, which runs a campaign for "
        "each group of devices: a delta for those that run a known release, the full image for the "
        "others. The command waits, says what became of every device, and removes what it made. "
        "Otherwise the artifacts are copied to publish.storage, or stay in the folder for "
        "artifacts, with an index. With --json every event is one line.",
    )
    add_build(parser, optional=True)
    add_dry_run(parser)
    parser.add_argument(
        "--to",
        metavar="PLACE",
        help="URL of a service, storage URL or folder (default: publish.service or "
        "publish.storage)",
    )
    parser.add_argument(
        "--built", action="store_true", help="take the artifacts as they are; build nothing"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--full", action="store_true", help="send the full image to every device")
    what.add_argument(
        "--delta-from", metavar="VERSION", help="send this delta, to the devices it fits, only"
    )
    what.add_argument("--package", action="store_true", help="send the combined package")
    parser.add_argument(
        "--encrypt", action="store_true", help="let the service encrypt the full image or package"
    )
    parser.add_argument(
        "--manifest",
        choices=("v3", "v1"),
        help="send manifests of this schema (default: the first of v3 and v1 that formats has)",
    )
    parser.add_argument(
        "--short-url", action="store_true", help="put the service's short URL into manifests"
    )
    parser.add_argument(
        "--device-id",
        action="append",
        default=[],
        metavar="ID",
        help="only this device of the vendor and class; may be repeated",
    )
    parser.add_argument(
        "--no-preflight",
        dest="preflight",
        action="store_false",
        help="do not ask which devices there are; without --delta-from all get the full image",
    )
    _add_campaign(parser)
    parser.set_defaults(run=run)


def _add_campaign(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--no-start", dest="start", action="store_false", help="leave the campaigns in draft"
    )
    parser.add_argument(
        "--no-wait", dest="wait", action="store_false", help="start the campaigns and leave"
    )
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="stop campaigns that are not over by then, counted from their start (default: wait "
        "as long as it takes)",
    )
    parser.add_argument(
        "--approval", action="store_true", help="somebody has to approve the campaigns first"
    )
    parser.add_argument(
        "--start-at",
        type=_moment,
        metavar="TIME",
        help="have the service begin then, such as 2030-01-31T08:00:00Z; waiting for it counts as "
        "waiting for the campaign",
    )
    parser.add_argument(
        "--campaign-name",
        default="fotabuild",
        metavar="TEXT",
        help="what names on the service begin with (default: %(default)s)",
    )
    parser.add_argument("--description", default="", metavar="TEXT", help="of the campaigns")
    parser.add_argument(
        "--no-cleanup",
        dest="cleanup",
        action="store_false",
        help="leave everything on the service, also when interrupted; a campaign then runs on",
    )
    parser.add_argument(
        "--keep-failed", action="store_true", help="leave everything there unless it was a success"
    )
    parser.add_argument(
        "--strict-cleanup",
        action="store_true",
        help="what cannot be removed from the service is an error",
    )
    parser.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="RUN",
        help="go on with an upload that was killed (default: the latest of this configuration); "
        "takes all other options from it; --to confirms a service that is not publish.service",
    )


def _seconds(text: str) -> float:
    """Return a duration; an option type."""
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value <= 10**9:
        raise argparse.ArgumentTypeError(f"{text[:40]!r} is no number of seconds from 0 to 10^9")
    return value


def _moment(text: str) -> str:
    """Return a time as the service reads it; an option type."""
    try:
        # Python 3.10 reads neither this letter nor fractions of other lengths, which do not count.
        plain = re.sub(r"\.[0-9]{1,9}", "", re.sub("[Zz]$", "+00:00", text))
        moment = datetime.fromisoformat(plain)
        if moment.tzinfo is None:
            raise ValueError(text)
        return moment.astimezone(timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError):
        raise argparse.ArgumentTypeError(
            f"{text[:40]!r} is no time with a zone, such as 2030-01-31T08:00:00Z"
        ) from None


def run(args: argparse.Namespace, output: Output) -> int:
    """Publish."""
    from fotabuild.publish.interruption import interruptible

    output.as_lines = True
    try:
        with interruptible():
            return _resume(args, output) if args.resume is not None else _upload(args, output)
    except KeyboardInterrupt:
        output.end("interrupted", "interrupted")
        raise


def _upload(args: argparse.Namespace, output: Output) -> int:
    if args.image is None or args.fw_version is None:
        raise UsageError("image and --fw-version are needed, unless with --resume")
    config = read_config(args)
    return _dispatch(args, output, config, _details(args, config), None)


def _dispatch(
    args: argparse.Namespace,
    output: Output,
    config: LoadedConfig,
    details: dict[str, Any],
    resumed: Journal | None,
) -> int:
    from fotabuild.publish.destination import is_service

    publish = config.project.publish
    if args.to is None and publish.service and publish.storage:
        raise UsageError(
            "publish.service and publish.storage are both set", remedy="say which with --to"
        )
    place = args.to or publish.service or publish.storage
    if place is not None and is_service(place):
        from fotabuild.cli.service_upload import ServiceUpload

        return ServiceUpload(args, output, config, place).run(details, resumed)
    return _copy(args, output, config, place)


def _copy(args: argparse.Namespace, output: Output, config: LoadedConfig, place: str | None) -> int:
    """Build, and copy the artifacts."""
    from fotabuild.cli.deltas import BuildDeltas
    from fotabuild.cli.upload_events import Reporter
    from fotabuild.matrix.run import Workforce
    from fotabuild.plan.plan import make_plan
    from fotabuild.publish.destination import copying_destination
    from fotabuild.publish.folder import Artifact, Release

    build = build_from(args, config)
    destination = copying_destination(place or str(build.folder))
    plan = make_plan(config, build, signed_here=not args.built)
    for note in plan.notes:
        output.say(f"note: {note}")
    destination.check()
    deltas = BuildDeltas(plan.steps, Workforce(), required=False, output=output)
    artifacts = tuple(
        Artifact(path, step.kind.value, _since(step))
        for step in plan.steps
        if _is_there(step, args, deltas, output)
        for path in step.outputs
    )
    release = Release(
        name=build.name or build.image.stem,
        version=str(build.version),
        component=config.project.component,
        vendor_id=config.identity.vendor_id.hex,
        class_id=config.identity.class_id.hex,
        artifacts=artifacts,
    )
    if args.dry_run:
        output.say(f"would publish to {destination.place}")
        names = destination.names(release)
    else:
        with Reporter(output) as report:
            names = destination.publish(release, report)
    values = {"event": "result", "dry-run": args.dry_run, "place": destination.place}
    output.result({**values, "files": list(names)}, "\n".join(names))
    return ExitStatus.OK


def _is_there(step: Step, args: argparse.Namespace, deltas: BuildDeltas, output: Output) -> bool:
    """Run a step if it is to be run; return whether its artifact is published.

    A delta that is not worth it is left out with its manifests, as in every build.
    """
    from fotabuild.steps.step import StepKind

    if args.dry_run:
        output.say(f"would make {step.name}")
        return True
    if args.built:
        payload = step.outputs[0] if step.kind is StepKind.DELTA else step.inputs[0]
        return not deltas.may_leave_out(step) or payload.exists()
    result = deltas.run(step)
    if result is None:
        return False
    output.say(f"{step.kind.value:<10}{step.outputs[0].name}: {result.summary}")
    for warning in result.warnings:
        output.warn(warning)
    return True


def _since(step: Any) -> str | None:
    precursor = getattr(step, "precursor", None)
    return None if precursor is None else str(precursor.version)


def _details(args: argparse.Namespace, config: LoadedConfig) -> dict[str, Any]:
    """Return the options as a journal keeps them; the access key is never among them."""
    stored = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(args).items()
        if name not in _DETAILS_NOT_STORED
    }
    return {"options": stored, "folder": str(Path.cwd()), "config": _identify(config)}


def _identify(config: LoadedConfig) -> str:
    """Return what tells runs of this configuration from those of others."""
    return "" if config.file is None else str(config.file.resolve())


def _resume(args: argparse.Namespace, output: Output) -> int:
    from fotabuild.cli.commands.cleanup import find_journals, has_config
    from fotabuild.errors import JournalError

    folder = find_journals(args)
    if args.resume:
        journal = _named(folder, args.resume)
    else:
        journal = _latest(folder, _identify(read_config(args)) if has_config(args) else "")
    try:
        details = dict(journal.arguments)
        if not journal.service:
            journal.remove()
            raise JournalError(
                "this upload was killed before it began: upload anew", file=journal.path
            )
        if not details:
            raise JournalError(
                "another program began this run, and 'upload' cannot go on with it",
                file=journal.path,
                remedy=f"'{journal.cleanup_command}' removes what it made",
            )
        # Paths in the options are relative to where the command was called.
        try:
            os.chdir(details["folder"])
        except OSError as error:
            raise JournalError(
                f"this upload was called in {details['folder']}: {error.strerror}",
                file=journal.path,
                remedy=f"'{journal.cleanup_command}' removes what it made",
            ) from None
        stored = dict(details["options"])
        for name in ("image", "config", "output_dir", "resources"):
            stored[name] = stored[name] and Path(stored[name])
        stored["to"] = journal.service
        stored["dry_run"] = False
        # Options that were unknown to the version that began have their defaults.
        options = argparse.Namespace(**{**vars(args), **stored})
        config = read_config(options)
        _require_service(journal, args.to or config.project.publish.service)
        output.say(f"going on with {journal.run}")
        return _dispatch(options, output, config, details, journal)
    finally:
        journal.close()


def _require_service(journal: Journal, place: str | None) -> None:
    """Refuse to send the access key to a service that it is not for, whatever a journal says."""
    from fotabuild.publish.address import ServiceAddress
    from fotabuild.publish.destination import is_service

    if place is None or not is_service(place) or ServiceAddress.parse(place).url != journal.service:
        raise UsageError(
            f"{journal.run} is of {journal.service}, and the access key is for "
            f"{place or 'no service'}",
            remedy=f"if it is for that service as well, add --to {journal.service}",
        )


def _named(folder: Path, run: str) -> Journal:
    from fotabuild.publish.journal import path_of, reopen

    return reopen(path_of(folder, run))


def _latest(folder: Path, configuration: str) -> Journal:
    """Return the journal of the latest upload of a configuration that was not left on purpose."""
    from fotabuild.errors import JournalError
    from fotabuild.publish.journal import reopen, runs

    unusable = ""
    for path in reversed(list(runs(folder))):
        try:
            journal = reopen(path)
        except FotabuildError as error:  # Perhaps of another project, which is at work.
            unusable += f"; {error}"
            continue
        mine = bool(configuration) and journal.arguments.get("config") == configuration
        if mine and not journal.kept:
            return journal
        journal.close()
    raise JournalError(
        f"there is no upload to go on with in {folder} for this configuration{unusable}",
        remedy="'fotabuild cleanup --list' lists all runs; 'upload --resume RUN' takes any",
    )
