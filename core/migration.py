"""From a set-up of manifest-tool to ``fotabuild.yaml``: what ``fotabuild migrate`` does.

Read are a cache folder of manifest-dev-tool 2.x, an input of manifest-tool 2.x, and the
``.manifest_tool.json`` and ``.mbed_cloud_config.json`` of 1.x. Files are named, never copied, and
of a secret in them nothing but its presence is told.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from fotabuild.config.dev_cache import DEFAULT_CACHE, DevCache, identity_of
from fotabuild.config.input_paths import InputPaths
from fotabuild.config.loader import load_config
from fotabuild.config.manifest_input import read_manifest_input
from fotabuild.config.yaml_reader import read_yaml
from fotabuild.errors import ConfigError, FotabuildError, OutputConflictError, in_file
from fotabuild.files.names import relative_name
from fotabuild.files.reading import read_file
from fotabuild.files.writing import OutputSet
from fotabuild.formats.identity import parse_uuid
from fotabuild.limits import READ_LIMITS

OLD_NAME = ".manifest_tool.json"
OLD_CLOUD_NAME = ".mbed_cloud_config.json"
# Names of 1.x files that hold a path, in the order in which they are looked for.
_OLD_CERTIFICATES = ("default-certificates", "default-certificate", "certificate")
_OLD_KEYS = ("private-key", "privateKey", "signing-key")
# What looks like a PIN or password in the name that a signing tool has for its key.
_SECRET = re.compile(
    r"(?<![a-z])(pin|pass|passwd|password|passphrase|secret)([-_]value)?['\"]?[\s:=]+\S"
    r"|[^\s:/@]+:[^\s:/@]+@",
    re.IGNORECASE,
)
_URL_NOTE = "add payload.url: where devices download, such as https://example.com/{file}"


@dataclass
class Migration:
    """Settings that were found, by dotted name, and what people should know."""

    settings: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def take_file(self, setting: str, name: str, folder: Path) -> None:
        """Set a path to the file that the older tools' programs would find here."""
        self.settings[setting] = InputPaths(folder, self.notes.append).find(name)

    def take_tool(self, name: str, folder: Path) -> None:
        """Set the signing tool: a file, or a name on PATH."""
        program = InputPaths(folder, self.notes.append).program(name)
        self.settings["credentials.signing-tool"] = program if program == name else Path(program)


def find_source(folder: Path) -> Path:
    """Return the set-up in a folder: the newest kind that is there.

    Raises:
        ConfigError: there is none.
    """
    for name in (DEFAULT_CACHE, OLD_NAME):
        if (folder / name).exists():
            return folder / name
    raise ConfigError(
        f"there is neither {DEFAULT_CACHE} nor {OLD_NAME} here",
        file=folder,
        remedy="name a cache folder or a configuration of manifest-tool",
    )


def read_source(source: Path) -> Migration:
    """Read a set-up of any kind.

    Raises:
        FotabuildError: it cannot be read.
    """
    if source.is_dir():
        return _from_cache(DevCache(source))
    data = read_file(source, READ_LIMITS.config, "configuration")
    with in_file(source):
        values = read_yaml(data).values
    if "payload" in values:
        return _from_input(data, source)
    return _from_1x(values, source)


def migrate(source: Path, output: Path) -> tuple[str, list[str]]:
    """Write ``fotabuild.yaml``.

    Args:
        source: a cache folder, an input, or a file of 1.x.
        output: the new configuration; paths in it are relative to its folder.

    Returns:
        The text, and notes for people.

    Raises:
        OutputConflictError: there is a configuration already.
        FotabuildError: the set-up cannot be read, or lacks its identity.
    """
    if output.exists():
        raise OutputConflictError("there is a configuration already", file=output)
    migration = read_source(source)
    text = _write(migration.settings, output.parent)
    outputs = OutputSet([source])
    outputs.add(output, text.encode(), only_new=True)
    try:
        load_config(output, environ={}, text=text.encode())
    except FotabuildError as error:
        # Of the source: what was not written cannot be looked at.
        raise ConfigError(
            error.problem, file=source, field=error.field, remedy=error.remedy
        ) from None
    outputs.commit()
    return text, migration.notes


def _from_cache(cache: DevCache) -> Migration:
    known = cache.read_config()
    with in_file(cache.config):
        identity = identity_of(known)
    result = Migration(
        {
            "vendor.vendor-id": str(identity.vendor_id),
            "device.class-id": str(identity.class_id),
            "credentials.certificate": cache.certificate_file(known),
        }
    )
    if known.signing_tool is None:
        result.settings["credentials.key"] = cache.key_file(known)
    else:
        result.take_tool(known.signing_tool, Path())
        if _SECRET.search(unquote(known.key_file)):
            result.notes.append(
                "credentials.key was left out: what the signing tool calls its key seems to hold a "
                "PIN or password; write it without"
            )
        else:
            result.settings["credentials.key"] = known.key_file
            result.notes.append(
                "credentials.key is what the signing tool calls its key: see that it holds no PIN"
            )
    result.notes.append(_URL_NOTE)
    for name, version in cache.read_versions().items():
        result.notes.append(f"the last version of {name} was {version}: build with a higher one")
    if cache.cloud.exists():
        result.notes.append(f"{cache.cloud} holds an access key, which was not copied")
    return result


def _from_input(data: bytes, source: Path) -> Migration:
    values = read_manifest_input(data, source)
    result = Migration()
    with in_file(source):
        vendor_id = _plain_uuid(values.vendor.vendor_id)
        class_id = _plain_uuid(values.device.class_id)
    for name, value in (
        ("vendor.domain", values.vendor.domain),
        ("vendor.vendor-id", vendor_id),
        ("device.model-name", values.device.model_name),
        ("device.class-id", class_id),
        ("component", values.component),
        ("priority", values.priority),
        ("sign-image", values.sign_image or None),
        ("payload.url", values.payload.url.replace("{", "{{").replace("}", "}}")),
    ):
        if value is not None:
            result.settings[name] = value
    if values.vendor.custom_data_path is not None:
        result.take_file("vendor.custom-data-path", values.vendor.custom_data_path, source.parent)
    if values.signing_tool is not None:
        result.take_tool(values.signing_tool, source.parent)
    result.notes.append("add credentials.key and credentials.certificate: the input has no keys")
    result.notes.append("payload.url is for one file: write {file} where its name stands")
    return result


def _from_1x(values: Mapping[str, Any], source: Path) -> Migration:
    result = Migration()
    for setting, names in (
        ("vendor.vendor-id", ("vendorId", "vendor-id")),
        ("device.class-id", ("classId", "class-id")),
    ):
        text = _text(values, names)
        if text is None:
            raise ConfigError(
                f"{names[0]} is missing: this is no configuration of manifest-tool",
                file=source,
                field=names[0],
            )
        with in_file(source):
            result.settings[setting] = str(parse_uuid(text))
    for setting, old_names in (
        ("credentials.certificate", _OLD_CERTIFICATES),
        ("credentials.key", _OLD_KEYS),
    ):
        name = _text(values, old_names)
        if name is None:
            result.notes.append(f"add {setting}: {source.name} does not name it")
        else:
            result.take_file(setting, name, source.parent)
    result.notes.append(_URL_NOTE)
    cloud = source.with_name(OLD_CLOUD_NAME)
    if cloud.exists():
        result.notes.append(f"{cloud} holds an access key, which was not copied")
    return result


def _text(values: Mapping[str, Any], names: tuple[str, ...]) -> str | None:
    """Return the first of some values; 1.x keeps certificates as a list, or as file and URI."""
    for name in names:
        value = values.get(name)
        if isinstance(value, list) and value:
            value = value[0]
        if isinstance(value, dict):
            value = value.get("file")
        if isinstance(value, str) and value:
            return value
    return None


def _plain_uuid(text: str | None) -> str | None:
    return None if text is None else str(parse_uuid(text))


def _write(settings: Mapping[str, Any], folder: Path) -> str:
    """Return the YAML text; paths become relative to its folder."""
    sections: dict[str, dict[str, Any]] = {}
    lines = ["# Made by 'fotabuild migrate'; every setting: fotabuild schema, fotabuild config"]
    for name, value in settings.items():
        if isinstance(value, Path):
            value = relative_name(value, folder)
        section, _, key = name.rpartition(".")
        sections.setdefault(section, {})[key] = value
    for section, values in sections.items():
        if section:
            lines.append(f"{section}:")
        indent = "  " if section else ""
        lines += [
            f"{indent}{key}: {json.dumps(value, ensure_ascii=False)}"
            for key, value in values.items()
        ]
    return "\n".join(lines) + "\n"
