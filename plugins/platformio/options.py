"""The ``custom_fotabuild_*`` options of an environment in ``platformio.ini``."""

from __future__ import annotations

import difflib
import os
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from fotabuild.config.fields import Field, project_fields
from fotabuild.config.loader import DEFAULT_NAME
from fotabuild.config.model import PathKind
from fotabuild.errors import ConfigError, VersionError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.signing.signer import program_path

PREFIX = "custom_fotabuild_"
_OWN = ("version", "config", "image", "output_dir", "name", "resources", "upload_options")
_SWITCH = {"yes": True, "true": True, "on": True, "no": False, "false": False, "off": False}


@dataclass(frozen=True)
class Options:
    """What an environment says about its updates.

    Attributes:
        version: version of the firmware.
        config: the project configuration.
        image: the linked firmware, ELF or flat binary.
        folder: where the artifacts go.
        name: what their file names begin with; empty for the image's.
        resources: whether the update resources are compiled into the program.
        upload_options: further options of ``fotabuild upload``.
        settings: values over those of the configuration, by dotted name; paths are absolute, only
            that of the key still starts at the project.
        project: folder of the project.
    """

    version: FirmwareVersion
    config: Path
    image: Path
    folder: Path
    name: str
    resources: bool
    upload_options: tuple[str, ...]
    settings: Mapping[str, str]
    project: Path


def option_of(setting: str) -> str:
    """Return the option for a setting of ``fotabuild.yaml``, such as ``payload.url``."""
    return PREFIX + setting.replace(".", "_").replace("-", "_")


def setting_options() -> dict[str, Field]:
    """Return the settings that have an option, by the name of the option."""
    return {option_of(field.name): field for field in project_fields()}


def read_options(given: Mapping[str, str], project: Path, expand: Callable[[str], str]) -> Options:
    """Read and check options. Touches no file.

    Args:
        given: the texts by name; an empty one counts as not given, as with variables.
        project: folder that relative paths start at.
        expand: fills in construction variables such as ``$BUILD_DIR``, in the plugin's own paths.

    Raises:
        ConfigError: an option that is unknown, missing or unusable.
    """
    fields = setting_options()
    for option in given:
        if option not in fields and option.removeprefix(PREFIX) not in _OWN:
            raise ConfigError("there is no such option", field=option, remedy=_suggest(option))
    texts = {option: text.strip() for option, text in given.items() if text.strip()}

    def path(name: str, default: str) -> Path:
        return _absolute(expand(texts.get(PREFIX + name, default)), project)

    return Options(
        version=_version(texts),
        config=path("config", DEFAULT_NAME),
        image=path("image", "$PROGPATH"),
        folder=path("output_dir", "$BUILD_DIR/update"),
        name=expand(texts.get(f"{PREFIX}name", "")),
        resources=_switch(texts, "resources"),
        upload_options=_words(texts, "upload_options"),
        settings={
            fields[option].name: _setting(fields[option], text, project)
            for option, text in texts.items()
            if option in fields
        },
        project=project,
    )


def _suggest(option: str) -> str:
    known = [*_OWN, *(name.removeprefix(PREFIX) for name in setting_options())]
    close = difflib.get_close_matches(option.removeprefix(PREFIX), known, n=1)
    return f"did you mean {PREFIX}{close[0]}?" if close else "see docs/platformio.md"


def _version(texts: Mapping[str, str]) -> FirmwareVersion:
    option = f"{PREFIX}version"
    if option not in texts:
        raise ConfigError(
            "this option is required and missing", field=option, remedy="give it, such as 1.2.3"
        )
    try:
        return FirmwareVersion.parse(texts[option])
    except VersionError as error:
        raise ConfigError(error.problem, field=option, remedy=error.remedy) from None


def _switch(texts: Mapping[str, str], name: str) -> bool:
    text = texts.get(PREFIX + name, "yes")
    if text.lower() not in _SWITCH:
        raise ConfigError(f"neither yes nor no: {text}", field=PREFIX + name)
    return _SWITCH[text.lower()]


def _words(texts: Mapping[str, str], name: str) -> tuple[str, ...]:
    try:
        return tuple(shlex.split(texts.get(PREFIX + name, "")))
    except ValueError as error:
        raise ConfigError(f"cannot be split: {error}", field=PREFIX + name) from None


def _setting(field: Field, text: str, project: Path) -> str:
    if field.is_list:
        return ",".join(text.split("\n"))
    # Whether a key is a file is known with the whole configuration: a signing tool may be named
    # anywhere, and the key is then what that tool calls it.
    if field.path is None or field.path is PathKind.KEY_URI:
        return text
    if field.path is PathKind.PROGRAM:
        return program_path(text, project)
    return str(_absolute(text, project))


def _absolute(path: str, project: Path) -> Path:
    return Path(os.path.normpath(project / path))
