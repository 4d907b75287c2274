"""Going on with an upload that was killed: what its journal keeps, and how that is read back."""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from fotabuild.cli.commands.cleanup import find_journals, has_config
from fotabuild.cli.options import read_config
from fotabuild.config.loader import LoadedConfig
from fotabuild.errors import FotabuildError, JournalError, UsageError
from fotabuild.publish.address import ServiceAddress
from fotabuild.publish.destination import is_service
from fotabuild.publish.journal import Journal, reopen
from fotabuild.publish.journal_folder import path_of, runs

_DETAILS_NOT_STORED = ("run", "command", "resume", "json", "quiet", "debug")


def details_of(args: argparse.Namespace, config: LoadedConfig) -> dict[str, Any]:
    """Return the options as a journal keeps them; the access key is never among them."""
    stored = {
        name: str(value) if isinstance(value, Path) else value
        for name, value in vars(args).items()
        if name not in _DETAILS_NOT_STORED
    }
    return {"options": stored, "folder": str(Path.cwd()), "config": _identify(config)}


@contextmanager
def earlier_upload(
    args: argparse.Namespace,
) -> Iterator[tuple[argparse.Namespace, LoadedConfig, Journal]]:
    """Open the journal of an earlier upload; yield its options, its configuration and itself.

    Args:
        args: the options of this call: which run, and how to print.

    Raises:
        JournalError: there is none to go on with.
        UsageError: the access key is not for the service of that run.
    """
    folder = find_journals(args)
    if args.resume:
        journal = reopen(path_of(folder, args.resume))
    else:
        journal = _latest(folder, _identify(read_config(args)) if has_config(args) else "")
    with closing(journal):
        options = _options_of(journal, args)
        config = read_config(options)
        _require_service(journal, args.to or config.project.publish.service)
        yield options, config, journal


def _options_of(journal: Journal, args: argparse.Namespace) -> argparse.Namespace:
    """Return the options of an earlier call, in the folder where it was made."""
    if not journal.service:
        journal.remove()
        raise JournalError("this upload was killed before it began: upload anew", file=journal.path)
    details = journal.arguments
    undo = f"'{journal.cleanup_command}' removes what it made"
    if not details:
        raise JournalError(
            "another program began this run, and 'upload' cannot go on with it",
            file=journal.path,
            remedy=undo,
        )
    # Paths in the options are relative to where the command was called.
    try:
        os.chdir(details["folder"])
    except OSError as error:
        raise JournalError(
            f"this upload was called in {details['folder']}: {error.strerror}",
            file=journal.path,
            remedy=undo,
        ) from None
    stored = dict(details["options"])
    for name in ("image", "config", "output_dir", "resources"):
        stored[name] = stored[name] and Path(stored[name])
    stored["to"] = journal.service
    stored["dry_run"] = False
    # Options that were unknown to the version that began have their defaults.
    return argparse.Namespace(**{**vars(args), **stored})


def _identify(config: LoadedConfig) -> str:
    """Return what tells runs of this configuration from those of others."""
    return "" if config.file is None else str(config.file.resolve())


def _require_service(journal: Journal, place: str | None) -> None:
    """Refuse to send the access key to a service that it is not for, whatever a journal says."""
    if place is None or not is_service(place) or ServiceAddress.parse(place).url != journal.service:
        raise UsageError(
            f"{journal.run} is of {journal.service}, and the access key is for "
            f"{place or 'no service'}",
            remedy=f"if it is for that service as well, add --to {journal.service}",
        )


def _latest(folder: Path, configuration: str) -> Journal:
    """Return the journal of the latest upload of a configuration that was not left on purpose."""
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
