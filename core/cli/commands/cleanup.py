"""``fotabuild cleanup``: remove what uploads that were killed left on a service."""

from __future__ import annotations

import argparse
import os
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fotabuild.cli.options import Subparsers, add_config, find_config, read_config
from fotabuild.cli.output import Output
from fotabuild.errors import (
    ConfigError,
    ExitStatus,
    FotabuildError,
    JournalError,
    LeftoverError,
    UsageError,
)

if TYPE_CHECKING:
    from fotabuild.publish.journal import Journal

_SERVICE = "FOTABUILD_PUBLISH_SERVICE"
_KEY = "FOTABUILD_PUBLISH_ACCESS_KEY"
_JOURNAL = "FOTABUILD_PUBLISH_JOURNAL"


def register(subparsers: Subparsers) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "cleanup",
        help="remove what killed uploads left on a service",
        description="Removes from the service all that the journals of uploads know: of runs that "
        "were killed or could not clean up, and of runs whose campaigns were left on purpose and "
        "are over. Campaigns that run stay, with all that they need, unless --stop is given. Works "
        "without a configuration when --service is given.",
    )
    parser.add_argument(
        "run_id", nargs="?", metavar="RUN", help="only this run, even if left on purpose in draft"
    )
    parser.add_argument("--list", action="store_true", help="list the runs, and remove nothing")
    parser.add_argument(
        "--stop",
        action="store_true",
        help="also stop campaigns that run, and remove them; those that were left on purpose "
        "only with RUN",
    )
    parser.add_argument("--service", metavar="URL", help="the service (default: publish.service)")
    add_config(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace, output: Output) -> int:
    """List the runs, or undo them."""
    from fotabuild.cli.service_upload import open_service
    from fotabuild.cli.upload_events import Reporter
    from fotabuild.publish.address import ServiceAddress
    from fotabuild.publish.interruption import interruptible
    from fotabuild.publish.journal import reopen
    from fotabuild.publish.journal_folder import path_of, runs

    output.as_lines = True
    folder = find_journals(args)
    paths = [path_of(folder, args.run_id)] if args.run_id else list(runs(folder))
    url, key_source = _service(args)
    url = None if url is None else ServiceAddress.parse(url).url
    done: list[dict[str, Any]] = []
    service = None
    with Reporter(output) as report, interruptible(), ExitStack() as stack:
        for path in paths:
            try:
                journal = reopen(path)
            except FotabuildError as error:
                output.warn(str(error))
                busy = isinstance(error, JournalError) and error.in_use
                done.append({"run": path.stem, "state": "in-use" if busy else "damaged"})
                continue
            try:
                state = _state(journal, url, listing=args.list)
                if state == "ours":
                    assert url is not None
                    if service is None:
                        opened = open_service(url, key_source, report)
                        service = stack.enter_context(closing(opened))
                    state = _undo(args, output, journal, service, report)
                done.append({"run": journal.run, "service": journal.service, "state": state})
            finally:
                journal.close()
    lines = [f"{one['run']}: {one['state']}" for one in done]
    output.result({"event": "result", "runs": done}, "\n".join(lines))
    left = [one["run"] for one in done if one["state"] == "left"]
    if left:
        output.fail(
            LeftoverError(
                f"objects of {', '.join(left)} are left on the service",
                remedy="the warnings name them; try again later",
            )
        )
        return LeftoverError.exit_status
    damaged = [one["run"] for one in done if one["state"] == "damaged"]
    if damaged:
        output.fail(
            JournalError(
                f"the journal of {', '.join(damaged)} cannot be read",
                remedy="look for names with its date on the service, and delete the file then",
            )
        )
        return JournalError.exit_status
    return ExitStatus.OK


def _state(journal: Journal, url: str | None, *, listing: bool) -> str:
    if not journal.service:
        journal.remove()
        return "removed"
    if listing:
        alive = sum(not entry.gone for entry in journal.entries)
        return f"{'kept' if journal.kept else 'unfinished'}, {alive} objects, {journal.service}"
    if url is None:
        raise UsageError("no service given", remedy="give --service, or set publish.service")
    # The access key goes to the service that it is for, whatever a journal says.
    return "ours" if journal.service == url else f"of {journal.service}: give --service"


def _undo(
    args: argparse.Namespace, output: Output, journal: Journal, service: Any, report: Any
) -> str:
    from fotabuild.publish.undo import Undo, is_waiting

    if journal.kept and not args.run_id and is_waiting(service, journal):
        command = f"{journal.cleanup_command} --stop"
        output.say(f"{journal.run} was left on purpose: '{command}' ends it")
        return "kept"
    left = Undo(service, journal, report, stop=args.stop).run()
    for leftover in left:
        output.warn(f"left on the service: {leftover}")
    return "left" if left else "removed"


def find_journals(args: argparse.Namespace) -> Path:
    """Return where the journals are, with or without a configuration."""
    from fotabuild.publish.journal_folder import default_folder

    if has_config(args):
        from fotabuild.cli.service_upload import journal_folder

        return journal_folder(read_config(args))
    given = os.environ.get(_JOURNAL)
    return Path(given) if given else default_folder()


def _service(args: argparse.Namespace) -> tuple[str | None, str | None]:
    if has_config(args):
        publish = read_config(args).project.publish
        return args.service or publish.service, publish.access_key
    return args.service or os.environ.get(_SERVICE), os.environ.get(_KEY)


def has_config(args: argparse.Namespace) -> bool:
    """Return whether there is a configuration, here or where the options say."""
    if args.config is not None:
        return True
    try:
        find_config()
    except ConfigError:
        return False
    return True
