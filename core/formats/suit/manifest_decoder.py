"""From CBOR to a manifest: its common part, its elements and its texts."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from typing import TypeVar

from fotabuild.formats.suit import model
from fotabuild.formats.suit.cbor_reader import Kind
from fotabuild.formats.suit.cursor import Cursor
from fotabuild.formats.suit.encoder import COMPONENT_TEXTS, MANIFEST_TEXTS
from fotabuild.formats.suit.names import MANIFEST_VERSION, Element
from fotabuild.formats.suit.sequence_decoder import SequenceDecoder
from fotabuild.formats.suit.tables import Table
from fotabuild.limits import READ_LIMITS

_Named = TypeVar("_Named", bound=enum.Enum)
_OLD_INSTALL = 17
_FIELDS = {
    1: "manifest-version",
    2: "manifest-sequence-number",
    3: "common",
    4: "reference-uri",
    5: "manifest-component-id",
    6: "set-version",
}
_REQUIRED = 3
_COMMON = {1: "dependencies", 2: "components", 4: "shared-sequence"}


class ManifestDecoder(SequenceDecoder):
    """Decodes the manifest of one envelope."""

    def __init__(self, table: Table) -> None:
        super().__init__(table)
        self._table = table
        self._elements = {number: element for element, number in table.elements.items()}

    def manifest(self, at: Cursor) -> model.Manifest:
        """Read a manifest."""
        fields: dict[str, Cursor] = {}
        elements: dict[Element, model.ElementValue] = {}
        for key, value in at.entries():
            number = key.integer()
            if number in self._elements:
                element = self._elements[number]
                key.name(self._table.spell(element))
                cursor = at.at(value.item, element.value)
                severed = value.item.kind is Kind.ARRAY and element in self._table.severable
                elements[element] = (
                    self.digest(cursor) if severed else self.element(element, cursor)
                )
            elif number in _FIELDS and (number <= 4 or self._table.text_has_languages):
                key.name(_FIELDS[number])
                fields[_FIELDS[number]] = at.at(value.item, _FIELDS[number])
            elif number == _OLD_INSTALL and self._table.text_has_languages:
                key.fail("install under number 17, as in drafts 17 to 27; now it is 20")
            else:
                key.fail(f"unknown element {number} of the manifest")
        for name in list(_FIELDS.values())[:_REQUIRED]:
            if name not in fields:
                at.fail(f"the manifest has no {name}")
        if (version := fields["manifest-version"].unsigned()) != MANIFEST_VERSION:
            fields["manifest-version"].fail(f"version {version} is not {MANIFEST_VERSION}")
        common = self._common(fields["common"].embedded())
        reference = fields.get("reference-uri")
        component = fields.get("manifest-component-id")
        set_version = fields.get("set-version")
        return model.Manifest(
            sequence_number=fields["manifest-sequence-number"].unsigned(),
            components=common[0],
            shared=common[1],
            dependencies=common[2],
            elements=elements,
            reference_uri=None if reference is None else reference.text(),
            component_id=None if component is None else self.component_id(component),
            version=None
            if set_version is None
            else tuple(each.integer() for each in set_version.embedded().elements()),
        )

    def element(self, element: Element, at: Cursor) -> model.ElementValue:
        """Read an element that is there and no digest."""
        if element is Element.TEXT:
            return self.text(at.embedded())
        if element is Element.COSWID:
            return at.byte_string()
        return self.commands(at.embedded())

    def _common(
        self, at: Cursor
    ) -> tuple[tuple[model.ComponentId, ...], model.Commands, tuple[model.Dependency, ...]]:
        components: tuple[model.ComponentId, ...] = ()
        shared: model.Commands = ()
        dependencies: tuple[model.Dependency, ...] = ()
        for key, value in at.entries():
            number = key.integer()
            if number not in _COMMON:
                key.fail(f"unknown element {number} of the common part")
            key.name(_COMMON[number])
            cursor = at.at(value.item, _COMMON[number])
            if number == 1:
                dependencies = self._dependencies(cursor)
            elif number == 2:
                components = self._components(cursor)
            else:
                shared = self.commands(cursor.embedded(), shared=True)
        return components, shared, dependencies

    def _components(self, at: Cursor) -> tuple[model.ComponentId, ...]:
        components: dict[model.ComponentId, None] = {}
        for each in at.elements():
            component = self.component_id(each)
            if component in components:
                each.fail("this component id is there twice")
            components[component] = None
        if len(components) > READ_LIMITS.suit_locations:
            at.fail(f"{len(components)} components; at most {READ_LIMITS.suit_locations} are read")
        if not components:
            at.fail("an empty list of components")
        return tuple(components)

    def _dependencies(self, at: Cursor) -> tuple[model.Dependency, ...]:
        if self._table.text_has_languages:
            return tuple(
                self._dependency(key.unsigned(), at.at(value.item, "dependency"))
                for key, value in at.entries()
            )
        return tuple(self._dependency(place, each) for place, each in enumerate(at.elements()))

    def _dependency(self, index: int, at: Cursor) -> model.Dependency:
        digest_key, prefix_key = (None, 1) if self._table.text_has_languages else (1, 2)
        digest: model.Digest | None = None
        prefix: model.ComponentId | None = None
        for key, value in at.entries():
            number = key.unsigned()
            if number == prefix_key:
                key.name("prefix")
                prefix = self.component_id(at.at(value.item, "prefix"))
            elif number == digest_key:
                key.name("digest")
                digest = self.digest(at.at(value.item, "digest"))
            else:
                key.fail(f"unknown element {number} of a dependency")
        return model.Dependency(index, prefix, digest)

    def text(self, at: Cursor) -> model.Text:
        """Read the texts."""
        if not self._table.text_has_languages:
            return model.Text({model.NO_LANGUAGE: self._language(at)})
        languages = {}
        for key, value in at.entries():
            language = key.text()
            languages[language] = self._language(at.at(value.item, language))
        return model.Text(languages)

    def _language(self, at: Cursor) -> model.LanguageText:
        manifest: dict[object, str] = {}
        components = {}
        for key, value in at.entries():
            if key.item.kind is Kind.ARRAY:
                component = self.component_id(key)
                components[component] = {
                    _named(COMPONENT_TEXTS, each): at.at(text.item, "text").text()
                    for each, text in at.at(value.item, "component").entries()
                }
            else:
                manifest[_named(MANIFEST_TEXTS, key)] = at.at(value.item, "text").text()
        return model.LanguageText(manifest, components)  # type: ignore[arg-type]


def _named(names: Sequence[_Named], at: Cursor) -> _Named:
    number = at.unsigned()
    if not 1 <= number <= len(names):
        at.fail(f"unknown text {number}")
    at.name(names[number - 1].value)
    return names[number - 1]
