"""The releases in the field that a project names, from its list or from its store's index."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from fotabuild.config.loader import LoadedConfig
from fotabuild.config.model import DeltaChoice, ReleaseStore
from fotabuild.errors import PlanError, in_file
from fotabuild.files.reading import read_file
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.limits import READ_LIMITS

if TYPE_CHECKING:
    from fotabuild.releases.release import Entry
    from fotabuild.releases.selection import Chosen

_MIRROR = Path(".fotabuild", "releases")


@dataclass(frozen=True)
class FieldRelease:
    """A release that devices have.

    Attributes:
        version: its version.
        image: its image.
        reason: why it gets no delta; None if it gets one.
        digest: SHA-256 that the image must have, hexadecimal; None if nobody wrote it down.
        elf: its linked ELF file, where that is known and here.
    """

    version: FirmwareVersion
    image: Path
    reason: str | None = None
    digest: str | None = None
    elf: Path | None = None


@dataclass(frozen=True)
class FieldReleases:
    """All of them, oldest first, and the files that say so besides the configuration."""

    releases: tuple[FieldRelease, ...]
    reads: tuple[Path, ...] = ()


def releases_in_field(
    config: LoadedConfig, version: FirmwareVersion | None = None
) -> FieldReleases:
    """Return the releases in the field.

    Of a store its index alone is read, or that of its mirror: no image and no network.

    Args:
        config: the project.
        version: the version that is built.

    Raises:
        PlanError: there is no index.
        StoreDamageError: the index is damaged.
        ImportListError: the shares cannot be used.
    """
    releases = config.project.releases
    if isinstance(releases, ReleaseStore):
        return _from_store(config, releases, version)
    found = (
        FieldRelease(
            FirmwareVersion.parse(release.version),
            Path(release.image),
            None if release.delta else "switched off for this release",
            elf=None if release.elf is None else Path(release.elf),
        )
        for release in releases
    )
    return FieldReleases(tuple(sorted(found, key=lambda release: release.version)))


def store_folder(config: LoadedConfig, section: ReleaseStore) -> Path:
    """Return the folder whose index builds read: that of the store, or its mirror."""
    from fotabuild.releases.places import is_url

    if not is_url(section.store):
        return Path(section.store)
    return config.folder / _MIRROR if section.mirror is None else Path(section.mirror)


def choose_releases(
    section: ReleaseStore,
    component: str,
    entries: Sequence[Entry],
    version: FirmwareVersion | None,
) -> tuple[Chosen, ...]:
    """Return the releases of a component that are in the field, and why some get no delta.

    Args:
        section: which of them deserve one.
        component: the component that is built.
        entries: all releases of the store.
        version: the version that is built. None if that is not known yet: then no release is left
            out for not being among the last.

    Raises:
        ImportListError: the shares cannot be used.
    """
    from fotabuild.releases.selection import Selection, read_shares, select

    choice = section.deltas if isinstance(section.deltas, DeltaChoice) else DeltaChoice()
    shares = None
    if choice.shares is not None:
        table = Path(choice.shares)
        with in_file(table):
            shares = read_shares(read_file(table, READ_LIMITS.release_index, "list of shares"))
    selection = Selection(
        last=None if version is None else choice.last,
        since=_parse(choice.since),
        until=_parse(choice.until),
        min_share=choice.min_share,
    )
    return select(entries, component, version, selection, shares)


def _from_store(
    config: LoadedConfig, section: ReleaseStore, version: FirmwareVersion | None
) -> FieldReleases:
    from fotabuild.releases.layout import INDEX
    from fotabuild.releases.places import is_url
    from fotabuild.releases.record import Index, decode

    folder = store_folder(config, section)
    file = folder / INDEX
    if not file.exists():
        remedy = "add a release with 'fotabuild release add', or correct releases.store"
        if is_url(section.store):
            remedy = "run 'fotabuild release pull' first: builds use no network"
        raise PlanError("the release store has no index here", file=file, remedy=remedy)
    with in_file(file):
        index = decode(read_file(file, READ_LIMITS.release_index, "index of releases"), Index)
    chosen = choose_releases(section, config.project.component, index.entries, version)
    table = section.deltas.shares if isinstance(section.deltas, DeltaChoice) else None
    return FieldReleases(
        tuple(_field_release(one, folder) for one in chosen),
        (file,) if table is None else (file, Path(table)),
    )


def _field_release(one: Chosen, folder: Path) -> FieldRelease:
    from fotabuild.releases.layout import blob_name

    elf = None if one.release.elf is None else folder / blob_name(one.release.elf)
    return FieldRelease(
        one.release.number,
        folder / blob_name(one.release.digest),
        one.reason,
        one.release.digest,
        # Symbols only help with a smaller patch: their absence must not break a build.
        elf if elf is not None and elf.is_file() else None,
    )


def _parse(text: str | None) -> FirmwareVersion | None:
    return None if text is None else FirmwareVersion.parse(text)
