"""A copy of a store at a URL in a folder here, since describing a build must not use a network."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from fotabuild.digest import sha256
from fotabuild.errors import ReleaseError
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.folder import FolderStorage
from fotabuild.releases.layout import BLOBS, INDEX, TEMPORARY, blob_name
from fotabuild.releases.record import encode_index
from fotabuild.releases.release import Entry, Release
from fotabuild.releases.store import ReleaseStore

# A file that takes this long to be written belongs to a process that was killed.
_LEFTOVER_SECONDS = 24 * 3600


@dataclass(frozen=True)
class Pulled:
    """What a pull did: releases it was about, files fetched, their bytes, and files removed."""

    releases: int
    fetched: int
    size: int
    removed: int


def pull(
    source: ReleaseStore,
    mirror: FolderStorage,
    choose: Callable[[Sequence[Entry]], Iterable[Release]],
) -> Pulled:
    """Bring the mirror up to date: images and ELF files that builds need, then the index.

    The mirror's index comes last, so that builds meanwhile see the old state, whole. It has all
    releases; several projects may share a mirror, and each pulls files of its own. Files of
    releases that are not in the field any more are removed.

    Args:
        source: the store.
        mirror: where the copy is.
        choose: returns the releases whose files are needed.

    Raises:
        StoreDamageError: a record or an image at the source is missing or damaged.
        ReleaseStorageError: the source cannot be reached; builds go on with what is here.
    """
    contents = source.contents()
    contents.require_sound()
    chosen = list(choose(contents.entries))
    needed = sorted(_files(chosen).items())
    fetched = size = removed = 0

    def fetch(digest: str, title: str) -> None:
        nonlocal fetched, size
        data = source.blob(digest, title)
        mirror.write(blob_name(digest), data)
        fetched += 1
        size += len(data)

    # Without the lock, as the source may be slow to answer.
    for digest, title in needed:
        if not _has(mirror, digest):
            fetch(digest, title)
    with mirror.alone():
        there = mirror.names(BLOBS)
        for digest, title in needed:
            if blob_name(digest) not in there:  # Another pull that knew less removed it meanwhile.
                fetch(digest, title)
        mirror.write(INDEX, encode_index(contents.entries))
        in_field = [entry.release for entry in contents.entries if entry.retired is None]
        kept = {blob_name(digest) for digest in _files(in_field)}
        for name, age in mirror.names(BLOBS).items():
            # Another pull may be writing a file right now.
            if name not in kept and not (name.endswith(TEMPORARY) and age < _LEFTOVER_SECONDS):
                mirror.remove(name)
                removed += 1
    return Pulled(len(chosen), fetched, size, removed)


def _files(releases: Iterable[Release]) -> dict[str, str]:
    """Return the digests of what builds read, each with the title of a release."""
    return {
        digest: release.title
        for release in releases
        for digest in (release.digest, release.elf)
        if digest is not None
    }


def _has(mirror: FolderStorage, digest: str) -> bool:
    try:
        data = mirror.read(blob_name(digest), READ_LIMITS.image)
    except ReleaseError:
        return False
    return data is not None and sha256(data).hex() == digest
