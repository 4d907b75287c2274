"""One change each to the built project, and which files it has to remake."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from fotabuild.credentials import NewProject, create_project
from fotabuild.signing.certificate import make_self_signed

from .project import MARKER, Project

Names = frozenset[str]
KEY, CERTIFICATE, YAML = "keys/update.key.pem", "keys/update.cert.der", "fotabuild.yaml"
SOURCE, OBJECT = "update_default_resources.c", "update_default_resources.o"


def names(version: str = "1.1.0", since: str = "1.0.0") -> dict[str, Names]:
    """Return the names of the files that a build says it makes, by what they depend on."""
    delta = f"app-{since}-to-{version}"
    return {
        "resources": frozenset({SOURCE}),
        "firmware": frozenset({"firmware.elf"}),
        "image": frozenset({f"app-{version}.bin"}),
        "manifest": frozenset({f"app-{version}.manifest"}),
        "delta": frozenset({f"{delta}.patch"}),
        "delta manifest": frozenset({f"{delta}.manifest"}),
        "package": frozenset({f"app-{version}.package.tar"}),
        "package manifest": frozenset({f"app-{version}.package.manifest"}),
    }


def _all_of(*kinds: str, version: str = "1.1.0") -> Names:
    found = names(version)
    return frozenset().union(*(found[kind] for kind in kinds))


MANIFESTS = _all_of("manifest", "delta manifest", "package manifest")
DELTA = _all_of("delta", "delta manifest")
PACKAGE = _all_of("package", "package manifest")
STEPS = MANIFESTS | DELTA | PACKAGE | _all_of("resources", "image")
AFTER_FIRMWARE = STEPS - _all_of("resources")
ALL = STEPS | _all_of("firmware")
NOTHING: Names = frozenset()


@dataclass(frozen=True)
class Change:
    """A change.

    Attributes:
        name: what changes.
        apply: makes the change in a built project.
        remade: the files that have to be made again.
        env: additions to the environment of the build.
        arguments: further arguments of ``pio run``.
        version: version of the firmware after the change.
        settings: settings that options and variables give after the change.
    """

    name: str
    apply: Callable[[Project], object]
    remade: Names
    env: Mapping[str, str] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    version: str = "1.1.0"
    settings: Mapping[str, object] = field(default_factory=dict)


def all_changes(other_fotabuild: Path) -> list[Change]:
    """Return the table; ``other_fotabuild`` holds a copy of the package with another version."""
    return [*_inputs(), *_settings(), *_deleted(), *_options(other_fotabuild)]


def _edit(old: str, new: str, name: str = YAML) -> Callable[[Project], None]:
    return lambda project: project.edit(name, old, new)


def _write(name: str, data: str | bytes) -> Callable[[Project], None]:
    return lambda project: project.write(name, data)


def _nothing(_project: Project) -> None:
    """Only the call is another one."""


def _inputs() -> list[Change]:
    return [
        Change("nothing", _nothing, NOTHING),
        Change("source code", _edit("minute", "hour", "src/main.c"), _changed_code()),
        Change("the same key in another encoding", _reencode_key, MANIFESTS),
        Change("a new pair of key and certificate", _new_pair, ALL | {OBJECT}),
        Change("a new certificate of the same key", _new_certificate, ALL | {OBJECT}),
        Change("vendor data file", _write("vendor.dat", "colour=blue"), MANIFESTS),
        Change("the other packaged image", _write("sensor.bin", "another table"), PACKAGE),
        Change("an old image", _write("releases/app-1.0.0.bin", MARKER + b" old"), DELTA),
    ]


def _changed_code() -> Names:
    return AFTER_FIRMWARE | {"firmware.elf", "main.o"}


def _settings() -> list[Change]:
    release = "releases:\n- {version: 0.9.0, image: releases/app-1.0.0.bin}"
    more = names(since="0.9.0")
    return [
        Change("a comment", _edit("# What", "# Comment: what"), NOTHING),
        Change("priority", _edit("priority: 1", "priority: 2"), MANIFESTS),
        Change("device model", _edit("Widget", "Gadget"), ALL | {OBJECT}),
        Change(
            "a release more", _edit("releases:", release), more["delta"] | more["delta manifest"]
        ),
    ]


def _deleted() -> list[Change]:
    def delete(name: str) -> Callable[[Project], None]:
        return lambda project: project.path(name).unlink()

    build = ".pio/build/device"
    return [
        Change("deleted: firmware", delete(f"{build}/firmware.elf"), _all_of("firmware")),
        Change("deleted: resources", delete(f"{build}/fotabuild/{SOURCE}"), _all_of("resources")),
        Change(
            "deleted: manifest", delete(f"{build}/update/app-1.1.0.manifest"), _all_of("manifest")
        ),
        Change(
            "deleted: side file of the delta",
            delete(f"{build}/update/app-1.0.0-to-1.1.0.yaml"),
            _all_of("delta"),
        ),
    ]


def _options(other_fotabuild: Path) -> list[Change]:
    path = os.pathsep.join(filter(None, (str(other_fotabuild), os.environ.get("PYTHONPATH", ""))))
    # PlatformIO itself empties the build folder when platformio.ini or a variable in it has
    # changed; not so with this.
    kept = ("--disable-auto-clean",)
    version = _edit("version = 1.1.0", "version = 1.2.0", "platformio.ini")
    everything = frozenset(
        {
            "main.o",
            "startup.o",
            "uart.o",
            "memory.o",
            "semihosting.o",
            "firmware.elf",
            SOURCE,
            OBJECT,
        }
    )
    return [
        Change(
            "an option",
            lambda project: project.option("custom_fotabuild_component = SIDE"),
            MANIFESTS - _all_of("package manifest"),
            arguments=kept,
            settings={"component": "SIDE"},
        ),
        Change(
            "a variable in an option",
            _nothing,
            MANIFESTS,
            env={"APP_PRIORITY": "5"},
            arguments=kept,
            settings={"priority": 5},
        ),
        Change(
            "the environment",
            _nothing,
            MANIFESTS,
            env={"FOTABUILD_PRIORITY": "6"},
            settings={"priority": 6},
        ),
        Change(
            "version",
            version,
            everything | frozenset().union(*names("1.2.0").values()),
            version="1.2.0",
        ),
        Change("fotabuild itself", _nothing, STEPS, env={"PYTHONPATH": path}),
    ]


def _reencode_key(project: Project) -> None:
    key = load_pem_private_key(project.path(KEY).read_bytes(), None)
    project.write(KEY, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _new_pair(project: Project) -> None:
    create_project(NewProject(folder=project.folder, credentials_only=True, replace_key=True))


def _new_certificate(project: Project) -> None:
    certificate = make_self_signed(project.path(KEY).read_bytes(), not_before=1_700_000_000)
    project.write(CERTIFICATE, certificate)
