"""A PlatformIO core folder that needs no registry, and the environment to use it."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

from platformio.dependencies import get_core_dependencies

_TOOL = "tool-scons"
_SCONS = """\
from SCons.Script import main
main()
"""
_QUIET = {
    "PLATFORMIO_SETTING_ENABLE_TELEMETRY": "No",
    "PLATFORMIO_SETTING_CHECK_PLATFORMIO_INTERVAL": "9999",
    "PLATFORMIO_DISABLE_UPGRADE_CHECK": "true",
    "PLATFORMIO_DISABLE_PROGRESSBAR": "true",
    "PLATFORMIO_NO_ANSI": "true",
}


def make_core_folder(folder: Path) -> None:
    """Fill ``folder`` with the one package that every build needs: the SCons of this Python."""
    package = folder / "packages" / _TOOL
    package.mkdir(parents=True)
    version = get_core_dependencies()[_TOOL].lstrip("~^=")
    # Without this record of its origin PlatformIO would ask the registry for the package.
    spec = {
        "owner": "platformio",
        "id": None,
        "name": _TOOL,
        "requirements": None,
        "uri": None,
    }
    record = {"type": "tool", "name": _TOOL, "version": version, "spec": spec}
    manifest = {"name": _TOOL, "version": version, "system": "*"}
    (package / "package.json").write_text(json.dumps(manifest))
    (package / ".piopm").write_text(json.dumps(record))
    (package / ".piokeep").write_text("")
    (package / "scons.py").write_text(_SCONS)


def platformio_environment(core: Path, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return this environment without settings of the user's, but with ``extra``."""
    foreign = ("PLATFORMIO_", "FOTABUILD_", "SCONSFLAGS", "SOURCE_DATE_EPOCH")
    inherited = {name: text for name, text in os.environ.items() if not name.startswith(foreign)}
    return {**inherited, **_QUIET, "PLATFORMIO_CORE_DIR": str(core), **(extra or {})}
