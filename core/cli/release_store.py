"""Which store and component a ``fotabuild release`` command is about."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

from fotabuild.cli.options import find_config, read_config
from fotabuild.errors import ConfigError, StoreDamageError

if TYPE_CHECKING:
    from fotabuild.config.loader import LoadedConfig
    from fotabuild.config.model import ReleaseStore as StoreSection
    from fotabuild.releases.contents import Contents
    from fotabuild.releases.release import Entry
    from fotabuild.releases.store import ReleaseStore

_DEFAULT_COMPONENT = "MAIN"


def open_store(args: argparse.Namespace) -> ReleaseStore:
    """Return the store of ``--store``, else that of the project.

    Raises:
        ConfigError: neither is there.
        ReleaseStorageError: no store can be at such a place.
    """
    from fotabuild.releases.places import open_storage
    from fotabuild.releases.store import ReleaseStore

    place = args.store or store_section(read_config(args)).store
    return ReleaseStore(open_storage(place))


def store_section(config: LoadedConfig) -> StoreSection:
    """Return what a configuration says about its store.

    Raises:
        ConfigError: nothing.
    """
    from fotabuild.config.model import ReleaseStore as StoreSection

    section = config.project.releases
    if not isinstance(section, StoreSection):
        raise ConfigError(
            "this project has no release store",
            file=config.file,
            field="releases.store",
            remedy="give --store, or write releases.store into the configuration",
        )
    return section


def component_of(args: argparse.Namespace) -> str:
    """Return the component of ``--component``, else that of the project, if there is one.

    Also with ``--store``: builds of the project would not see releases of another component.
    """
    if args.component is not None:
        return str(args.component)
    if args.config is None:
        try:
            find_config()
        except ConfigError:
            return _DEFAULT_COMPONENT
    return read_config(args).project.component


def date_of(args: argparse.Namespace) -> str:
    """Return the date of ``--date``, else that of the build."""
    return args.date or now()


def now() -> str:
    """Return the date of the build: ``SOURCE_DATE_EPOCH``, or now."""
    from fotabuild.files.dates import build_time
    from fotabuild.releases.release import date_text

    return date_text(build_time())


def entry_values(entry: Entry) -> dict[str, Any]:
    """Return a release for ``--json``."""
    import msgspec

    return {**msgspec.to_builtins(entry.release), "retired": entry.retired}


def damage_of(contents: Contents, place: str) -> StoreDamageError | None:
    """Return the error about records that cannot be read, if there are any."""
    try:
        contents.require_sound()
    except StoreDamageError as error:
        error.file = f"{place}/{error.file}"
        return error
    return None
