"""``fotabuild upload``: bring a release to devices, or to where they get it from."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

from fotabuild.cli.commands.build import add_build
from fotabuild.cli.options import Subparsers, add_dry_run, read_config, utf8_text
from fotabuild.cli.output import Output
from fotabuild.errors import UsageError

if TYPE_CHECKING:
    from fotabuild.config.loader import LoadedConfig
    from fotabuild.publish.journal import Journal


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
        type=utf8_text,
        default="fotabuild",
        metavar="TEXT",
        help="what names on the service begin with (default: %(default)s)",
    )
    parser.add_argument(
        "--description", type=utf8_text, default="", metavar="TEXT", help="of the campaigns"
    )
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
            return _upload(args, output) if args.resume is None else _resume(args, output)
    except KeyboardInterrupt:
        output.end("interrupted", "interrupted")
        raise


def _upload(args: argparse.Namespace, output: Output) -> int:
    from fotabuild.cli.upload_resume import details_of

    if args.image is None or args.fw_version is None:
        raise UsageError("image and --fw-version are needed, unless with --resume")
    config = read_config(args)
    return _dispatch(args, output, config, details_of(args, config), None)


def _resume(args: argparse.Namespace, output: Output) -> int:
    from fotabuild.cli.upload_resume import earlier_upload

    with earlier_upload(args) as (options, config, journal):
        output.say(f"going on with {journal.run}")
        return _dispatch(options, output, config, dict(journal.arguments), journal)


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
    from fotabuild.cli.copying_upload import copy_release

    return copy_release(args, output, config, place)
