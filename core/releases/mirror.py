"""A copy of a store at a URL in a folder here, since describing a build must not use a network."""

from __future__ import annotations

from dataclasses import dataclass

from fotabuild.errors import ReleaseError
from fotabuild.files import sha256
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.record import Entry, encode, make_index
from fotabuild.releases.storage import FolderStorage
from fotabuild.releases.store import BLOBS, INDEX, ReleaseStore, blob_name


@dataclass(frozen=True)
class Pulled:
    """What a pull did: releases in the field, images fetched, their bytes, and images removed."""

    releases: int
    fetched: int
    size: int
    removed: int


def pull(source: ReleaseStore, mirror: FolderStorage) -> Pulled:
    """Bring the mirror up to date: images of releases in the field, then the index.

    The mirror's index comes last, so that builds meanwhile see the old state, whole.

    Raises:
        StoreDamageError: an image at the source is missing or damaged.
        ReleaseStorageError: the source cannot be reached; builds go on with what is here.
    """
    index = source.index()
    entries: list[Entry] = list(source.entries() if index is None else index.entries)
    wanted = {e.release.digest: e.release.title for e in entries if e.retired is None}
    fetched = size = removed = 0
    with mirror.alone():
        for digest, title in sorted(wanted.items()):
            if _has(mirror, digest):
                continue
            data = source.blob(digest, title)
            mirror.write(blob_name(digest), data)
            fetched += 1
            size += len(data)
        mirror.write(INDEX, encode(make_index(entries)))
        names = {blob_name(digest) for digest in wanted}
        for name in mirror.names(BLOBS):
            if name not in names:
                mirror.remove(name)
                removed += 1
    return Pulled(len(wanted), fetched, size, removed)


def _has(mirror: FolderStorage, digest: str) -> bool:
    try:
        data = mirror.read(blob_name(digest), READ_LIMITS.image)
    except ReleaseError:
        return False
    return data is not None and sha256(data).hex() == digest
