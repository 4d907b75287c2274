"""The release store: adding, finding and checking releases.

Below the place of the store are

- ``blobs/ab/<digest>``: images, manifests and ELF files under their SHA-256,
- ``records/<component>/<version>.json``: one release each, written once,
- ``retired/<component>/<version>.json``: the note that no device has it any more,
- ``index.json``: all of these in one small file, made from the records. Builds read it.

A release is there as soon as its record is. The record comes after everything that it names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import quote

import msgspec

from fotabuild.errors import (
    FormatError,
    ReleaseConflictError,
    ReleaseError,
    ReleaseStorageError,
    StoreDamageError,
    UnknownReleaseError,
    in_file,
)
from fotabuild.files import sha256
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.record import (
    FSCK,
    Entry,
    Index,
    Release,
    check_date,
    decode,
    encode,
    make_index,
)
from fotabuild.releases.storage import Storage

INDEX = "index.json"
RECORDS = "records"
RETIRED = "retired"
BLOBS = "blobs"
_INDEX_TRIES = 50


@dataclass(frozen=True, kw_only=True)
class NewRelease:
    """A release to add.

    Attributes:
        version: its version.
        component: the component that the image is.
        date: when it was released, as ``2026-01-31T12:00:00Z``.
        image: the image, exactly as installed.
        manifest: the signed manifest.
        elf: the linked ELF file.
        origin: where the image comes from.
    """

    version: str
    component: str
    date: str
    image: bytes
    manifest: bytes | None = None
    elf: bytes | None = None
    origin: Mapping[str, str] = field(default_factory=dict)

    def release(self) -> Release:
        """Return what is recorded.

        Raises:
            ReleaseError: a value that no store takes.
        """
        if not self.image:
            raise ReleaseError("the image is empty", remedy="give the image as installed")
        values = {
            "version": self.version,
            "component": self.component,
            "date": check_date(self.date),
            "digest": sha256(self.image).hex(),
            "size": len(self.image),
            "manifest": None if self.manifest is None else sha256(self.manifest).hex(),
            "elf": None if self.elf is None else sha256(self.elf).hex(),
            "origin": dict(self.origin),
        }
        try:
            FirmwareVersion.parse(self.version)
            return msgspec.convert(values, Release)
        except (msgspec.ValidationError, FormatError) as error:
            raise ReleaseError(f"not a release: {error}") from None


class ReleaseStore:
    """A store at a place. Many processes may use it at once, also on several machines."""

    def __init__(self, storage: Storage) -> None:
        self.storage = storage

    def add(self, new: NewRelease) -> bool:
        """Add a release; return False if the store had just this one.

        Raises:
            ReleaseConflictError: the store has another image under this version.
            ReleaseError: a value that no store takes.
            ReleaseStorageError: the place cannot be used.
        """
        release = new.release()
        with self.storage.alone():
            for data in filter(None, (new.image, new.manifest, new.elf)):
                self.storage.write(blob_name(sha256(data).hex()), data)
            name = record_name(RECORDS, release.component, release.version)
            is_new = self.storage.create(name, encode(Entry.of(release)))
            if not is_new:
                self._refuse_other(release, name)
            self._publish_index()
        return is_new

    def entries(self) -> tuple[Entry, ...]:
        """Return all releases, from their records, sorted by component and version.

        Raises:
            StoreDamageError: a record is damaged.
        """
        return make_index(self._read_records(self._listing())).entries

    def index(self) -> Index | None:
        """Return the index, or None if there is none.

        Raises:
            StoreDamageError: it is damaged.
        """
        data = self.storage.read(INDEX, READ_LIMITS.release_index)
        if data is None:
            return None
        with in_file(f"{self.storage.place}/{INDEX}"):
            return decode(data, Index)

    def find(self, component: str, version: str) -> Entry:
        """Return one release.

        Raises:
            UnknownReleaseError: there is none.
        """
        for entry in self._read_records(self._listing(component, version)):
            return entry
        raise UnknownReleaseError(
            f"the store has no {component} {version[:40]}",
            file=self.storage.place,
            remedy="'fotabuild release list --all' shows what it has",
        )

    def blob(self, digest: str, title: str = "") -> bytes:
        """Return an image, manifest or ELF file by its digest.

        Raises:
            StoreDamageError: it is missing or damaged.
        """
        name = blob_name(digest)
        data = self.storage.read(name, READ_LIMITS.image)
        problem = None
        if data is None:
            problem = "this file of the store is missing"
        elif sha256(data).hex() != digest:
            problem = "this file of the store is damaged"
        if data is None or problem is not None:
            raise StoreDamageError(
                f"{problem}{f' ({title})' if title else ''}",
                file=f"{self.storage.place}/{name}",
                remedy="add the release again with its image, which heals it",
            )
        return data

    def retire(self, component: str, version: str, date: str) -> bool:
        """Note that no device has a release any more; return False if that was noted before.

        Raises:
            UnknownReleaseError: there is no such release.
        """
        name = record_name(RETIRED, component, version)
        with self.storage.alone():
            self.find(component, version)
            is_new = self.storage.create(name, check_date(date).encode() + b"\n")
            self._publish_index()
        return is_new

    def restore(self, component: str, version: str) -> bool:
        """Undo :meth:`retire`; return False if the release was not retired."""
        with self.storage.alone():
            entry = self.find(component, version)
            self.storage.remove(record_name(RETIRED, component, version))
            self._publish_index()
        return entry.retired is not None

    def rebuild_index(self) -> None:
        """Write the index again from the records; for callers who hold the store alone."""
        self._publish_index()

    def _refuse_other(self, release: Release, name: str) -> None:
        """Refuse another content of a version that exists; the date may differ."""
        data = self.storage.read(name, READ_LIMITS.release_record)
        with in_file(f"{self.storage.place}/{name}"):
            found = decode(data or b"", Entry).release
        for what in ("digest", "manifest", "elf"):
            given = getattr(release, what)
            if given is not None and given != getattr(found, what):
                named = "image" if what == "digest" else what
                raise ReleaseConflictError(
                    f"{release.title} is in the store with another {named}, of {found.date}",
                    file=self.storage.place,
                    remedy="a release never changes: use another version",
                )

    def _publish_index(self) -> None:
        """Write the index from the records, until nobody added one meanwhile.

        Whoever writes the index last has seen every record: see docs/releases.md.
        """
        for _ in range(_INDEX_TRIES):
            listing = self._listing()
            self.storage.write(INDEX, encode(make_index(self._read_records(listing))))
            if self._listing() == listing:
                return
        raise ReleaseStorageError(
            "the index of the store could not be completed: others kept writing",
            file=self.storage.place,
            remedy="run 'fotabuild release fsck'",
        )

    def _listing(self, component: str = "", version: str = "") -> frozenset[str]:
        """Return the names of all records and notes, or of those of one release."""
        if component:
            return frozenset(
                record_name(folder, component, version) for folder in (RECORDS, RETIRED)
            )
        names = frozenset(
            name
            for folder in (RECORDS, RETIRED)
            for name in self.storage.names(folder)
            if name.endswith(".json")
        )
        if len(names) > 2 * READ_LIMITS.releases:
            raise ReleaseError(
                f"more than {READ_LIMITS.releases} releases", file=self.storage.place
            )
        return names

    def _read_records(self, names: frozenset[str]) -> list[Entry]:
        entries = []
        files = self.storage.read_all(sorted(names), READ_LIMITS.release_record)
        for name, data in files.items():
            if name.startswith(f"{RECORDS}/"):
                with in_file(f"{self.storage.place}/{name}"):
                    release = read_record(name, data)
                note = note_of(name)
                retired = None
                if note in files:
                    with in_file(f"{self.storage.place}/{note}"):
                        retired = read_note(files[note])
                entries.append(Entry.of(release, retired))
        return entries


def read_record(name: str, data: bytes) -> Release:
    """Return the release in a record.

    Raises:
        StoreDamageError: it is damaged, or another's.
    """
    release = decode(data, Entry).release
    if name != record_name(RECORDS, release.component, release.version):
        raise StoreDamageError("this record lies under another's name", remedy=FSCK)
    return release


def read_note(data: bytes) -> str:
    """Return since when a release is retired.

    Raises:
        StoreDamageError: it is no such note.
    """
    try:
        return check_date(data.decode("ascii", "replace").strip())
    except ReleaseError as error:
        raise StoreDamageError(error.problem, remedy=FSCK) from None


def note_of(record: str) -> str:
    """Return the name of the note that belongs to a record."""
    return RETIRED + record[len(RECORDS) :]


def blob_name(digest: str) -> str:
    """Return the name of a file by its digest."""
    return f"{BLOBS}/{digest[:2]}/{digest}"


def record_name(folder: str, component: str, version: str) -> str:
    """Return the name of what is known about a release."""
    return (
        f"{folder}/{quote(component, safe='').replace('.', '%2E')}/{quote(version, safe='')}.json"
    )
