"""Who gets what, as the journal of an upload has it: decided once, also when it is resumed."""

from __future__ import annotations

from collections.abc import Sequence

from fotabuild.cli.upload_payloads import Payloads
from fotabuild.errors import JournalError
from fotabuild.publish.grouping import Group
from fotabuild.publish.journal import Journal
from fotabuild.publish.updates import Update


def settle(journal: Journal, groups: Sequence[Group], updates: Sequence[Update]) -> None:
    """Write down who gets what; on a resumed run make sure that it is still the same.

    Raises:
        JournalError: it is not, or it cannot be written down.
    """
    plan = {
        "groups": [
            {
                "key": group.key,
                "device-ids": list(group.device_ids),
                "checksums": list(group.checksums),
                "excluded": list(group.excluded),
                "sha256": update.digest,
            }
            for group, update in zip(groups, updates, strict=True)
        ]
    }
    if journal.plan is None:
        journal.record_plan(plan)
    elif journal.plan != plan:
        raise _other_payloads(journal)


def settled_groups(journal: Journal, payloads: Payloads) -> list[Group]:
    """Return the groups of a run that is resumed, and make their payloads.

    Raises:
        JournalError: a payload that it began with is not sent any more.
        FotabuildError: one cannot be made.
    """
    groups = [
        Group(
            one["key"], 0, tuple(one["device-ids"]), tuple(one["checksums"]), tuple(one["excluded"])
        )
        for one in (journal.plan or {"groups": []})["groups"]
    ]
    if not all(payloads.provide(group.key) for group in groups):
        raise _other_payloads(journal)
    return groups


def _other_payloads(journal: Journal) -> JournalError:
    return JournalError(
        "the payloads are not those that this run began with",
        file=journal.path,
        remedy=f"'{journal.cleanup_command}' undoes it; then upload anew",
    )
