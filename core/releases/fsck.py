"""Check a whole store, and heal what can be healed."""

from __future__ import annotations

import contextlib

from fotabuild.releases.contents import read_index
from fotabuild.releases.findings import Finding, Problem
from fotabuild.releases.fsck_files import check_files, remove_unused
from fotabuild.releases.fsck_texts import check_texts
from fotabuild.releases.layout import INDEX
from fotabuild.releases.publishing import publish_index
from fotabuild.releases.store import ReleaseStore, no_store

#: A file that nothing names may belong to a release that is being added elsewhere right now.
GRACE_SECONDS = 24 * 3600


def check_store(
    store: ReleaseStore, *, heal: bool = True, grace: float = GRACE_SECONDS
) -> tuple[int, list[Finding]]:
    """Read everything in a store and compare it with its digests.

    Damaged records and marks are restored from the index, and the index from them. A damaged image
    cannot be restored from the store alone: adding the release again heals it. So does adding a
    release whose record is damaged and that the index does not know. Others may add releases while
    the images are read, which can take hours. Nothing is written to a store that is not healed,
    not even a lock.

    Args:
        store: the store.
        heal: whether to change anything.
        grace: seconds for which files that nothing names and marks without a record are left.

    Returns:
        The number of releases that were checked, and what was wrong.

    Raises:
        ReleaseStorageError: there is no store, or its place cannot be used.
        ReleaseError: the store is of a newer fotabuild.
    """
    names = store.storage.names("")
    if not names:
        raise no_store(store.storage)
    findings: list[Finding] = []
    alone = store.storage.alone if heal else contextlib.nullcontext
    with alone():
        index, listed = read_index(store.storage)
        known = {entry.record: entry for entry in listed}
        entries = check_texts(store.storage, known, findings, heal=heal, grace=grace)
        # A store without releases needs no index.
        if known != entries or (index is None and INDEX in names):
            if heal:
                publish_index(store.storage, trusted=False)
            detail = "missing or damaged" if index is None else "not made from these records"
            findings.append(Finding(Problem.OUTDATED_INDEX, INDEX, detail, heal))
    check_files(store, entries, findings)
    with alone():
        remove_unused(store, findings, heal=heal, grace=grace)
    return len(entries), findings
