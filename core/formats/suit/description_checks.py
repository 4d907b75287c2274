"""What the components of a description must have in common (suit specification, section 1.6)."""

from __future__ import annotations

from collections.abc import Callable
from typing import NoReturn

from fotabuild.errors import SuitInputError
from fotabuild.formats.suit.description import Component

#: What tells alternatives apart on a device.
_SELECTORS: tuple[tuple[str, Callable[[Component], object]], ...] = (
    ("slot", lambda c: c.slot),
    ("offset", lambda c: c.offset),
    ("vendor-id", lambda c: c.vendor_id),
    ("class-id", lambda c: c.class_id),
)
_COMMON: tuple[tuple[str, Callable[[Component], object]], ...] = (
    ("install-on-download", lambda c: c.staged),
    ("download-id", lambda c: c.download_id),
    ("loadable", lambda c: c.loadable),
    ("load-id", lambda c: c.load_id),
    ("decompress-on-load", lambda c: c.decompress_on_load),
    ("a uri", lambda c: c.uri is not None),
)
_Group = tuple[Component, ...]


def check_components(components: _Group) -> None:
    """Check the components together.

    Raises:
        SuitInputError: there is none, none names vendor and class, a location has two uses, or
            alternatives cannot be told apart or contradict each other.
    """
    if not components:
        raise SuitInputError("the list is empty", field="components")
    vendors = [component for component in components if component.vendor_id is not None]
    if not vendors:
        raise SuitInputError("no component has a vendor-id", field="components")
    if all(component.class_id is None for component in vendors):
        raise SuitInputError("no component with a vendor-id has a class-id", field="components")
    groups: dict[tuple[bytes, ...], list[Component]] = {}
    for component in components:
        if component.slot is not None and component.offset is not None:
            _fail(component, "'slot' and 'offset' exclude each other")
        groups.setdefault(component.install_id, []).append(component)
    for group in groups.values():
        if len(group) > 1:
            _check_alternatives(tuple(group))
    _check_locations(components)
    _check_integrated_names(components)


def _check_alternatives(group: _Group) -> None:
    first = group[0]
    for other in group[1:]:
        for name, value in _COMMON:
            if value(other) != value(first):
                _fail(other, f"alternatives of one install-id disagree on {name}")
        for name, value in _SELECTORS:
            if (value(other) is None) != (value(first) is None):
                _fail(other, f"'{name}' is present in some alternatives of one install-id only")
    seen: list[tuple[object, ...]] = []
    for component in group:
        selector = tuple(value(component) for _, value in _SELECTORS)
        if selector in seen:
            _fail(
                component,
                "nothing tells this alternative of one install-id from another one",
                "give each another slot, offset, vendor-id or class-id",
            )
        seen.append(selector)


def _check_locations(components: _Group) -> None:
    """Every location holds one thing: the image of one component, or its download, or its copy."""
    owners = {
        component.install_id: (component.install_id, "install-id") for component in components
    }
    for component in components:
        for name, location, used in (
            ("download-id", component.download_id, component.staged),
            ("load-id", component.load_id, component.loadable),
        ):
            if not used or location is None:
                continue
            owner = (component.install_id, name)
            if owners.setdefault(location, owner) != owner:
                _fail(component, f"'{name}' is the {owners[location][1]} of something else")


def _check_integrated_names(components: _Group) -> None:
    contents: dict[str, bytes | None] = {}
    for component in components:
        if not component.integrate or component.uri is None:
            continue
        if contents.setdefault(component.uri, component.content) != component.content:
            _fail(component, f"two integrated payloads are named {component.uri}")


def _fail(component: Component, problem: str, remedy: str | None = None) -> NoReturn:
    raise SuitInputError(problem, field=component.path or None, remedy=remedy)
