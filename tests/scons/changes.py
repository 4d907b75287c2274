"""One change each to a built project, and which artifacts it has to remake."""

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

from .project import Project
from .sconstructs import OLD, Way

Names = frozenset[str]
MANIFESTS = frozenset({"manifest", "package manifest", *(f"delta manifest {v}" for v in OLD)})
DELTAS = frozenset(f"delta {v}" for v in OLD)
DELTA_MANIFESTS = frozenset(f"delta manifest {v}" for v in OLD)
PACKAGE = frozenset({"package", "package manifest"})
FACTORY = frozenset({"factory"})
AFTER_IMAGE = MANIFESTS | DELTAS | PACKAGE | FACTORY
AFTER_FIRMWARE = AFTER_IMAGE | {"image"}
IMAGE = frozenset({"image"})
STEPS = AFTER_FIRMWARE | {"resources"}
ALL = STEPS | {"firmware"}
NOTHING: Names = frozenset()
KEY, CERTIFICATE = "keys/update.key.pem", "keys/update.cert.der"
YAML = "fotabuild.yaml"


@dataclass(frozen=True)
class Change:
    """A change.

    Attributes:
        name: what changes.
        apply: makes the change in a built project.
        remade: the artifacts that have to be made again.
        single: the same for artifacts declared one by one, where that differs.
        version: version of the firmware after the change.
        priority: value of the SConstruct's own option.
        env: additions to the environment.
        since: the releases that deltas are made from, after the change.
    """

    name: str
    apply: Callable[[Project, Way], None]
    remade: Names
    single: Names | None = None
    version: str = "1.1.0"
    priority: str = ""
    env: Mapping[str, str] = field(default_factory=dict)
    since: tuple[str, ...] = OLD

    def expected(self, way: Way) -> Names:
        """Return what has to be remade in a project of this way."""
        if way.versioned:
            return self.remade
        # There is no builder for the factory image alone.
        return self.remade - FACTORY if self.single is None else self.single

    @property
    def arguments(self) -> tuple[str, ...]:
        """Arguments of the SCons run."""
        option = (f"PRIORITY={self.priority}",) if self.priority else ()
        return (f"VERSION={self.version}", *option)


def all_changes(other_fotabuild: Path) -> list[Change]:
    """Return the table; ``other_fotabuild`` holds a copy of the package with another version."""
    return [*_inputs(), *_settings(), *_limits(), *_deleted(), *_around(other_fotabuild)]


def _edit(old: str, new: str, name: str = YAML) -> Callable[[Project, Way], None]:
    return lambda project, _way: project.edit(name, old, new)


def _write(name: str, text: str) -> Callable[[Project, Way], None]:
    return lambda project, _way: project.write(name, text)


def _nothing(_project: Project, _way: Way) -> None:
    """Only the call is another one."""


def _inputs() -> list[Change]:
    return [
        Change("source code", _edit("minute", "hour", "app.txt"), AFTER_FIRMWARE | {"firmware"}),
        Change("dates of all files", _touch, NOTHING),
        Change("the same key in another encoding", _reencode_key, MANIFESTS),
        Change("a new pair of key and certificate", _new_pair, ALL),
        Change("a new certificate of the same key", _new_certificate, ALL),
        Change("vendor data file", _write("vendor.dat", "colour=blue"), MANIFESTS),
        Change("an old image", _old_image, frozenset({"delta 0.9.0", "delta manifest 0.9.0"})),
        Change("the bootloader", _write("boot.bin", "another bootloader"), FACTORY),
        Change("the other packaged image", _write("sensor.bin", "another table"), PACKAGE),
    ]


def _settings() -> list[Change]:
    return [
        Change("a comment", _edit("# What", "# Comment: what"), NOTHING),
        Change(
            "a place to publish", _edit("vendor:", "publish: {destination: x}\nvendor:"), NOTHING
        ),
        Change("component", _edit("component: MAIN", "component: SIDE"), _without_package()),
        Change("priority", _edit("priority: 1", "priority: 2"), MANIFESTS),
        Change("payload URL", _edit("updates.", "more.updates."), MANIFESTS),
        Change("words after a dollar sign", _edit("$hw", "$sw"), MANIFESTS),
        Change("sign-image", _edit("priority:", "sign-image: true\npriority:"), MANIFESTS),
        Change("vendor domain", _edit("acme.example", "acme2.example"), ALL),
        Change("device model", _edit("Widget", "Gadget"), ALL),
        Change("device features", _edit("combined]", "combined, encrypted]"), MANIFESTS),
        Change("block size", _edit("size: 512", "size: 256"), DELTAS | DELTA_MANIFESTS),
        Change("delta threshold", _edit("threshold: 60", "threshold: 70"), DELTAS),
        Change("packaged vendor data", _edit("vendor-data: widget", "vendor-data: x"), PACKAGE),
        Change("package component", _edit("BUNDLE", "PAIR"), PACKAGE - {"package"}, NOTHING),
        Change(
            "place in flash", _edit("application-offset: 512", "application-offset: 1024"), FACTORY
        ),
        Change("start of flash", _edit("layout:", "layout:\n  flash-start: 64"), IMAGE, NOTHING),
        Change("place of the key", _move_key, NOTHING),
        Change(
            "a release more",
            _edit("releases:", "releases:\n- {version: 1.0.1, image: releases/app-1.0.0.bin}"),
            frozenset({"delta 1.0.1", "delta manifest 1.0.1"}),
            NOTHING,
            since=(*OLD, "1.0.1"),
        ),
        Change(
            "a release less",
            _edit("- version: 0.9.0\n  image: releases/app-0.9.0.bin\n", ""),
            NOTHING,
            since=("1.0.0",),
        ),
    ]


def _limits() -> list[Change]:
    def limit(name: str, value: int) -> Callable[[Project, Way], None]:
        return _edit("  limits:\n", f"  limits:\n    {name}: {value}\n")

    return [
        Change("limit of URLs", limit("uri-size", 200), MANIFESTS),
        Change("limit of certificates", limit("certificate-size", 590), frozenset({"resources"})),
        Change("limit of memory", limit("patch-memory", 2048), DELTAS | DELTA_MANIFESTS),
        Change("limit of names", limit("sub-component-name-size", 9), PACKAGE),
        Change("limit of images", limit("image-size", 1 << 20), MANIFESTS | {"package"}),
    ]


def _deleted() -> list[Change]:
    def delete(artifact: str, index: int) -> Callable[[Project, Way], None]:
        return lambda p, way: p.path(way.artifacts()[artifact][index]).unlink()

    files = [(name, 0) for name in sorted(ALL - FACTORY)] + [("delta 1.0.0", 1)]
    return [
        Change(f"deleted: {name}[{index}]", delete(name, index), frozenset({name}))
        for name, index in files
    ]


def _around(other_fotabuild: Path) -> list[Change]:
    path = os.pathsep.join(filter(None, (str(other_fotabuild), os.environ.get("PYTHONPATH", ""))))
    return [
        Change("version", _nothing, AFTER_FIRMWARE, MANIFESTS, version="1.2.0"),
        Change("fotabuild itself", _nothing, STEPS, env={"PYTHONPATH": path}),
        Change("an option", _nothing, MANIFESTS, priority="5"),
        Change("the environment", _nothing, MANIFESTS, env={"FOTABUILD_PRIORITY": "6"}),
        Change("an unrelated variable", _nothing, NOTHING, env={"TZ": "Asia/Tokyo"}),
    ]


def _without_package() -> Names:
    return MANIFESTS - {"package manifest"}


def _touch(project: Project, way: Way) -> None:
    for name, data in project.files().items():
        if not name.startswith("build/"):
            project.write(name, data)
            os.utime(project.path(name), (1e9, 1e9))


def _reencode_key(project: Project, _way: Way) -> None:
    key = load_pem_private_key(project.path(KEY).read_bytes(), None)
    project.write(KEY, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _move_key(project: Project, _way: Way) -> None:
    project.path(KEY).rename(project.path("moved.pem"))
    project.edit(YAML, f"key: {KEY}", "key: moved.pem")


def _new_pair(project: Project, _way: Way) -> None:
    create_project(NewProject(folder=project.folder, credentials_only=True, replace_key=True))


def _new_certificate(project: Project, _way: Way) -> None:
    make_certificate(project)


def make_certificate(project: Project) -> None:
    """Give the project another certificate of its key."""
    certificate = make_self_signed(project.path(KEY).read_bytes(), not_before=1_700_000_000)
    project.write(CERTIFICATE, certificate)


def _old_image(project: Project, _way: Way) -> None:
    name = "releases/app-0.9.0.bin"
    project.write(name, project.path(name).read_bytes() + b"!")
