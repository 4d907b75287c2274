"""One change each to a built project, and which artifacts it has to remake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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

Names = frozenset[str]
OLD = ("0.9.0", "1.0.0")
DELTAS = frozenset(f"delta {old}" for old in OLD)
DELTA_MANIFESTS = frozenset(f"delta manifest {old}" for old in OLD)
MANIFESTS = DELTA_MANIFESTS | {"manifest", "package manifest"}
PACKAGE = frozenset({"package", "package manifest"})
FACTORY = frozenset({"factory"})
AFTER_IMAGE = MANIFESTS | DELTAS | PACKAGE | FACTORY
AFTER_FIRMWARE = AFTER_IMAGE | {"image"}
STEPS = AFTER_FIRMWARE | {"resources"}
ALL = STEPS | {"firmware"}
NOTHING: Names = frozenset()
KEY, CERTIFICATE, YAML, LISTS = (
    "keys/update.key.pem",
    "keys/update.cert.der",
    "fotabuild.yaml",
    "CMakeLists.txt",
)


@dataclass(frozen=True)
class Change:
    """A change.

    Attributes:
        name: what changes.
        apply: makes the change in a built project.
        remade: the artifacts whose step has to run again.
        version: version of the firmware after the change.
        priority: value of the CMakeLists' own setting after the change.
        since: the releases that deltas are made from, after the change.
        everywhere: whether it is tried with every generator.
    """

    name: str
    apply: Callable[[Project], object]
    remade: Names
    version: str = "1.1.0"
    priority: int = 1
    since: tuple[str, ...] = OLD
    everywhere: bool = True


def add_release(project: Project) -> None:
    """Add a release to the project, to see that a change of one leaves the other alone."""
    project.edit(YAML, "releases:", "releases:\n- version: 0.9.0\n  image: releases/app-0.9.0.bin")


def all_changes(fotabuild: Path) -> list[Change]:
    """Return the table; ``fotabuild`` is the installed package that the builds use."""
    return [*_inputs(), *_settings(), *_limits(), *_deleted(), *_around(fotabuild)]


def _edit(old: str, new: str, name: str = YAML) -> Callable[[Project], object]:
    return lambda project: project.edit(name, old, new)


def _more(name: str, apply: Callable[[Project], object], remade: Names) -> Change:
    """Return a change of a kind of which there is another one."""
    return Change(name, apply, remade, everywhere=False)


def _write(name: str, text: str) -> Callable[[Project], object]:
    return lambda project: project.write(name, text)


def _nothing(_project: Project) -> None:
    """Build again, that is all."""


def _inputs() -> list[Change]:
    return [
        Change("nothing", _nothing, NOTHING),
        Change("source code", _edit("minute", "hour", "text.c"), AFTER_FIRMWARE | {"firmware"}),
        Change("the same key in another encoding", _reencode_key, MANIFESTS),
        Change("a new pair of key and certificate", _new_pair, ALL),
        _more("a new certificate of the same key", _new_certificate, ALL),
        Change("vendor data file", _write("vendor.dat", "colour=blue"), MANIFESTS),
        Change("an old image", _old_image, frozenset({"delta 0.9.0", "delta manifest 0.9.0"})),
        Change("bootloader", _write("boot.bin", "another bootloader"), FACTORY),
        Change("the other packaged image", _write("sensor.bin", "another table"), PACKAGE),
    ]


def _settings() -> list[Change]:
    more = _edit("releases:", "releases:\n- {version: 1.0.1, image: releases/app-1.0.0.bin}")
    less = _edit("- version: 0.9.0\n  image: releases/app-0.9.0.bin\n", "")
    return [
        Change("a comment", _edit("# What", "# Comment: what"), NOTHING),
        _more(
            "a place to publish", _edit("vendor:", "publish: {destination: x}\nvendor:"), NOTHING
        ),
        Change("component", _edit("component: MAIN", "component: SIDE"), _without_package()),
        _more("a setting that the build overrides", _edit("priority: 0\n", ""), NOTHING),
        _more("payload URL", _edit("updates.", "more.updates."), MANIFESTS),
        _more("words after a dollar sign", _edit("$hw", "$<sw>"), MANIFESTS),
        _more("sign-image", _edit("priority:", "sign-image: true\npriority:"), MANIFESTS),
        Change("vendor domain", _edit("acme.example", "acme2.example"), ALL),
        _more("device model", _edit("Widget", "Gadget"), ALL),
        _more("device features", _edit("combined]", "combined, encrypted]"), MANIFESTS),
        Change("block size", _edit("size: 512", "size: 256"), DELTAS | DELTA_MANIFESTS),
        _more("delta threshold", _edit("threshold: 60", "threshold: 70"), DELTAS),
        _more("packaged vendor data", _edit("vendor-data: widget", "vendor-data: x"), PACKAGE),
        Change("package component", _edit("BUNDLE", "PAIR"), frozenset({"package manifest"})),
        _more("byte between the parts", _edit("layout:", "layout:\n  fill: 0"), FACTORY),
        _more("place of the key", _move_key, MANIFESTS),
        Change(
            "a release more",
            more,
            frozenset({"delta 1.0.1", "delta manifest 1.0.1"}),
            since=(*OLD, "1.0.1"),
        ),
        Change("a release less", less, NOTHING, since=("1.0.0",)),
    ]


def _limits() -> list[Change]:
    def limit(name: str, value: int) -> Callable[[Project], object]:
        return _edit("  limits:\n", f"  limits:\n    {name}: {value}\n")

    return [
        _more("limit of URLs", limit("uri-size", 200), MANIFESTS),
        Change("limit of certificates", limit("certificate-size", 590), frozenset({"resources"})),
        Change("limit of memory", limit("patch-memory", 2048), DELTAS | DELTA_MANIFESTS),
        _more("limit of names", limit("sub-component-name-size", 9), PACKAGE),
        _more("limit of images", limit("image-size", 1 << 20), MANIFESTS | {"package"}),
    ]


def _deleted() -> list[Change]:
    def delete(name: str) -> Callable[[Project], object]:
        return lambda project: project.output(name).unlink()

    made_again = frozenset({"firmware", "image"})
    return [
        Change("deleted: resources", _delete_resources, made_again | {"resources"}),
        Change("deleted: firmware", lambda project: project.program.unlink(), made_again),
        Change("deleted: image", delete("app-1.1.0.bin"), AFTER_FIRMWARE),
        Change("deleted: manifest", delete("app-1.1.0.manifest"), frozenset({"manifest"})),
        _more("deleted: factory image", delete("app-1.1.0.factory.bin"), FACTORY),
        Change("deleted: delta", delete("app-0.9.0-to-1.1.0.patch"), _delta("0.9.0")),
        Change("deleted: side file", delete("app-1.0.0-to-1.1.0.yaml"), _delta("1.0.0")),
        _more(
            "deleted: delta manifest",
            delete("app-1.0.0-to-1.1.0.manifest"),
            frozenset({"delta manifest 1.0.0"}),
        ),
        Change("deleted: package", delete("app-1.1.0.package.tar"), PACKAGE),
        _more(
            "deleted: package manifest",
            delete("app-1.1.0.package.manifest"),
            frozenset({"package manifest"}),
        ),
    ]


def _around(fotabuild: Path) -> list[Change]:
    def upgrade(_project: Project) -> None:
        (fotabuild / "__init__.py").write_text('__version__ = "0.0.99"\n', encoding="utf-8")

    version = _edit("VERSION 1.1.0", "VERSION 1.2.0", LISTS)
    setting = _edit("priority=1", "priority=5", LISTS)
    return [
        Change("version", version, AFTER_FIRMWARE, version="1.2.0"),
        Change("an option", setting, MANIFESTS, priority=5),
        Change("fotabuild itself", upgrade, STEPS),
    ]


def _delta(since: str) -> Names:
    return frozenset({f"delta {since}", f"delta manifest {since}"})


def _without_package() -> Names:
    return MANIFESTS - {"package manifest"}


def _reencode_key(project: Project) -> None:
    key = load_pem_private_key(project.path(KEY).read_bytes(), None)
    project.write(KEY, key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))


def _move_key(project: Project) -> None:
    project.path(KEY).rename(project.path("moved.pem"))
    project.edit(YAML, f"key: {KEY}", "key: moved.pem")


def _new_pair(project: Project) -> None:
    create_project(NewProject(folder=project.folder, credentials_only=True, replace_key=True))


def _new_certificate(project: Project) -> None:
    certificate = make_self_signed(project.path(KEY).read_bytes(), not_before=1_700_000_000)
    project.write(CERTIFICATE, certificate)


def _old_image(project: Project) -> None:
    name = "releases/app-0.9.0.bin"
    project.write(name, project.path(name).read_bytes() + b"!")


def _delete_resources(project: Project) -> None:
    (source,) = project.build.rglob("update_default_resources.c")
    source.unlink()
