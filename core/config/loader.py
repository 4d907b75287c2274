"""Read a project's configuration from all its sources, and remember where each value came from.

Precedence: option of the command line, environment, build system, ``fotabuild.yaml``, default.
"""

from __future__ import annotations

import contextlib
import enum
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import msgspec

from fotabuild.config.fields import ENVIRONMENT_PREFIX, Field, project_fields
from fotabuild.config.messages import explain, explain_value
from fotabuild.config.model import DeltaChoice, PathKind, Project, ReleaseStore, Vendor
from fotabuild.config.yaml_reader import YamlDocument, read_yaml
from fotabuild.errors import ConfigError, FormatError, in_file
from fotabuild.files.reading import read_file
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.formats.identity import (
    Identity,
    class_id_from_model_name,
    parse_uuid,
    vendor_id_from_domain,
)
from fotabuild.limits import READ_LIMITS
from fotabuild.signing.signer import key_file, program_path

DEFAULT_NAME = "fotabuild.yaml"
# A value of one name, from a stronger source, replaces the other name's of a weaker one.
_ALTERNATIVES = (("vendor.domain", "vendor.vendor-id"), ("device.model-name", "device.class-id"))
_KEY = "credentials.key"
_PATHS_IN_LISTS = (
    ("releases", "image"),
    ("releases", "elf"),
    ("package.images", "file-name"),
    ("suit.components", "file"),
)


class Source(enum.Enum):
    """Where a value came from, strongest first."""

    OPTION = "option"
    ENVIRONMENT = "environment"
    BUILD_SYSTEM = "build system"
    FILE = "file"
    DEFAULT = "default"


@dataclass(frozen=True)
class Origin:
    """The source of a value and its place there: an option, a variable, a file with its line."""

    source: Source
    place: str = ""

    def __str__(self) -> str:
        return f"{self.source.value} {self.place}".strip()


@dataclass(frozen=True)
class LoadedConfig:
    """A checked configuration.

    Attributes:
        project: the values; all paths in it are absolute.
        identity: vendor and class id, derived where names are given.
        file: the configuration file, if there is one.
        folder: where relative names in it start: the file's folder.
        origins: for each dotted name that was given, where it came from.
    """

    project: Project
    identity: Identity
    file: Path | None
    folder: Path
    origins: Mapping[str, Origin]

    def origin(self, name: str) -> Origin:
        """Return where the value of a dotted name came from."""
        return self.origins.get(name, Origin(Source.DEFAULT))


def load_config(
    file: Path | None,
    *,
    options: Mapping[str, object] | None = None,
    build_system: Mapping[str, object] | None = None,
    build_folder: Path | None = None,
    environ: Mapping[str, str] = os.environ,
    text: bytes | None = None,
) -> LoadedConfig:
    """Read, merge and check a configuration. Reads no key and writes nothing.

    Args:
        file: the ``fotabuild.yaml``, or None when the other sources say everything.
        options: values by dotted name from the command line; text is converted.
        build_system: values by dotted name from a plugin.
        build_folder: where relative paths in these start, if not at the file's folder.
        environ: the environment, from which ``FOTABUILD_*`` is taken.
        text: what ``file`` would hold, when it is not written yet.

    Raises:
        ConfigError: with the key, its file and line, or the variable or option at fault.
        FileError: the file cannot be read.
    """
    merged: dict[str, Any] = {}
    origins: dict[str, Origin] = {}
    document = YamlDocument({}, {})
    folder = Path.cwd()
    written_key: object = None
    if file is not None:
        # The real folder: ".." in a path of the file goes up from where the file really lies.
        folder = Path(os.path.realpath(file.parent))
        file = folder / file.name
        with in_file(file):
            if text is None:
                text = read_file(file, READ_LIMITS.config, "configuration")
            document = read_yaml(text)
        written_key = _get(document.values, _KEY)
        _take_file(merged, origins, document, file)
    _take_texts(
        merged, origins, Source.BUILD_SYSTEM, build_system or {}, {}, build_folder or folder
    )
    variables = {field.name: field.variable for field in project_fields()}
    _refuse_misspelt(environ, set(variables.values()))
    _take_texts(
        merged,
        origins,
        Source.ENVIRONMENT,
        {name: environ[key] for name, key in variables.items() if environ.get(key)},
        variables,
        Path.cwd(),
    )
    _take_texts(merged, origins, Source.OPTION, options or {}, {}, Path.cwd())
    if _get(merged, "credentials.signing-tool"):
        # To a signing tool the key is a name, not a path: as the strongest source wrote it.
        keys = (
            (options or {}).get(_KEY),
            environ.get(variables[_KEY]),
            (build_system or {}).get(_KEY),
        )
        opaque = next(filter(None, keys), written_key)
        if opaque:
            _set(merged, _KEY, opaque)
    try:
        project = msgspec.convert(merged, Project)
        identity = _identity(project)
        _check_versions(project)
        _check_key(project)
    except (msgspec.ValidationError, ConfigError) as error:
        raise explain(error, file, document.lines) from None
    return LoadedConfig(project, identity, file, folder, origins)


def _refuse_misspelt(environ: Mapping[str, str], known: set[str]) -> None:
    """Refuse variables that are almost a setting: a misspelt key must not sign with another."""
    for name in sorted(environ):
        if name.startswith(ENVIRONMENT_PREFIX) and name not in known:
            import difflib  # Only wrong names need it.

            close = difflib.get_close_matches(name, sorted(known), n=1, cutoff=0.9)
            if close:
                raise ConfigError(
                    "there is no such setting", field=name, remedy=f"did you mean {close[0]}?"
                )


def _take_file(
    merged: dict[str, Any], origins: dict[str, Origin], document: YamlDocument, file: Path
) -> None:
    merged.update(document.values)
    for field in project_fields():
        line = document.lines.get(f"$.{field.name}")
        if line is None:
            continue
        origins[field.name] = Origin(Source.FILE, f"{file.name}:{line}")
        value = _get(merged, field.name)
        if field.path is not None and isinstance(value, str):
            _set(merged, field.name, _absolute(value, field.path, file.parent))
    for name, key in _PATHS_IN_LISTS:
        items = _get(merged, name)
        for item in items if isinstance(items, list) else ():
            if isinstance(item, dict) and isinstance(item.get(key), str):
                item[key] = _absolute(item[key], PathKind.FILE, file.parent)
        if items is not None:
            origins[name] = Origin(Source.FILE, f"{file.name}:{document.lines[f'$.{name}']}")
    _take_store(_get(merged, "releases"), file.parent)


def _take_store(releases: object, folder: Path) -> None:
    """Make the paths of a release store absolute."""
    if not isinstance(releases, dict):
        return
    store = releases.get("store")
    if isinstance(store, str) and store and "://" not in store:
        releases["store"] = _absolute(store, PathKind.FILE, folder)
    for section, key in ((releases, "mirror"), (releases.get("deltas"), "shares")):
        if isinstance(section, dict) and isinstance(section.get(key), str):
            section[key] = _absolute(section[key], PathKind.FILE, folder)


def _check_key(project: Project) -> None:
    """Refuse a PIN among settings: they are printed, and arguments are seen by all users."""
    if re.search(r"pin-value\s*=", unquote(project.credentials.key or ""), re.IGNORECASE):
        raise ConfigError(
            "a PIN in the key's URI can be seen by others",
            field=_KEY,
            remedy="write pin-source=FILE there, or set credentials.passphrase",
        )


def _take_texts(
    merged: dict[str, Any],
    origins: dict[str, Origin],
    source: Source,
    values: Mapping[str, object],
    places: Mapping[str, str],
    folder: Path,
) -> None:
    fields = {field.name: field for field in project_fields()}
    for name, value in values.items():
        if name not in fields:
            raise ConfigError("there is no such setting", field=name)
        place = places.get(name, name)
        for pair in _ALTERNATIVES:
            other = pair[1 - pair.index(name)] if name in pair else name
            # Both from one source contradict each other, which the check of the identity reports.
            if other not in values:
                _drop(merged, other)
                origins.pop(other, None)
        _set(merged, name, _convert(fields[name], value, f"{source.value} {place}", folder))
        origins[name] = Origin(source, place)


def _convert(field: Field, value: object, where: str, folder: Path) -> object:
    if not isinstance(value, str):
        return value
    if field.path is not None and value:
        return _absolute(value, field.path, folder)
    given = [item.strip() for item in value.split(",")] if field.is_list else value
    try:
        value.encode()
        return msgspec.to_builtins(msgspec.convert(given, field.type, strict=False))
    except msgspec.ValidationError as error:
        problem, remedy = explain_value(str(error).partition(" - at ")[0], field.name)
        raise ConfigError(f"{problem} (from {where})", field=field.name, remedy=remedy) from None
    except UnicodeEncodeError:
        raise ConfigError(f"not Unicode text (from {where})", field=field.name) from None


def _absolute(value: str, kind: PathKind, folder: Path) -> str:
    if kind is PathKind.KEY_PLACE:
        # Anything but a file stays as it is: it may be a secret by mistake, and paths are shown.
        scheme, _, place = value.partition(":")
        if scheme != "file" or not place:
            return value
        return f"file:{os.path.normpath(folder / place)}"
    if kind is PathKind.PROGRAM:
        return program_path(value, folder)
    if kind is PathKind.KEY_URI:
        path = key_file(value)
        if path is None:
            return value
        value = str(path)
    return os.path.normpath(folder / value)


def _get(tree: Mapping[str, Any], name: str) -> Any:
    node: Any = tree
    for part in name.split("."):
        if not isinstance(node, dict):
            return None
        node = node.get(part)
    return node


def _set(tree: dict[str, Any], name: str, value: object) -> None:
    *parents, last = name.split(".")
    for part in parents:
        child = tree.get(part)
        if not isinstance(child, dict):
            child = tree[part] = {}
        tree = child
    tree[last] = value


def _drop(tree: dict[str, Any], name: str) -> None:
    section, key = name.split(".")
    if isinstance(tree.get(section), dict):
        tree[section].pop(key, None)


def _identity(project: Project) -> Identity:
    vendor, device = project.vendor, project.device
    _exactly_one("vendor", domain=vendor.domain, vendor_id=vendor.vendor_id)
    _exactly_one("device", model_name=device.model_name, class_id=device.class_id)
    vendor_id = _vendor_id(vendor)
    if device.class_id is not None:
        with _in_field("device.class-id"):
            return Identity(vendor_id, parse_uuid(device.class_id))
    return Identity(vendor_id, class_id_from_model_name(vendor_id, device.model_name or ""))


def _vendor_id(vendor: Vendor) -> Any:
    if vendor.vendor_id is not None:
        with _in_field("vendor.vendor-id"):
            return parse_uuid(vendor.vendor_id)
    with _in_field("vendor.domain"):
        return vendor_id_from_domain(vendor.domain or "")


def _check_versions(project: Project) -> None:
    releases = project.releases
    if isinstance(releases, ReleaseStore):
        if isinstance(releases.deltas, DeltaChoice):
            _check_choice(releases.deltas)
        return
    for index, release in enumerate(releases):
        with _in_field(f"releases[{index}].version"):
            FirmwareVersion.parse(release.version)


def _check_choice(choice: DeltaChoice) -> None:
    for name, version in (("from", choice.since), ("to", choice.until)):
        if version is not None:
            with _in_field(f"releases.deltas.{name}"):
                FirmwareVersion.parse(version)
    if (choice.min_share is None) != (choice.shares is None):
        raise ConfigError("min-share and shares go together", field="releases.deltas.min-share")
    if choice == DeltaChoice():
        raise ConfigError(
            "no condition is given", field="releases.deltas", remedy="write 'deltas: all'"
        )


@contextlib.contextmanager
def _in_field(name: str) -> Iterator[None]:
    """Turn an error of a format into one of the setting that holds the text."""
    try:
        yield
    except FormatError as error:
        raise ConfigError(error.problem, field=name, remedy=error.remedy) from None


def _exactly_one(section: str, **values: str | None) -> None:
    names = [name.replace("_", "-") for name in values]
    given = [name for name, value in values.items() if value is not None]
    if len(given) != 1:
        raise ConfigError(
            f"{'both' if given else 'neither'} of {names[0]} and {names[1]} given",
            field=section,
            remedy="give exactly one of them",
        )
