"""An envelope as JSON, in the form of ``suit-tool parse -j``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from fotabuild.formats.suit import model
from fotabuild.formats.suit.names import (
    MANIFEST_VERSION,
    Compression,
    Element,
    Name,
    Parameter,
    Profile,
)
from fotabuild.formats.suit.tables import TABLES, Table

Json: TypeAlias = "dict[str, Json] | list[Json] | str | int | bool | None"
_COMPRESSIONS = {each.number: each.value for each in Compression}


def to_json(envelope: model.Envelope) -> dict[str, Json]:
    """Return the values of an envelope as JSON values.

    Every command is a map of ``command-id``, ``command-arg`` and ``component-id``; commands that
    select a component are ``{}``, as the ones that follow name it. Those about several components
    have their indices there, or true for all.
    """
    view = _View(TABLES[envelope.profile], envelope.manifest)
    wrapper: list[Json] = [_digest(envelope.digest)]
    wrapper += [_block(block) for block in envelope.blocks]
    values: dict[str, Json] = {
        "authentication-wrapper": wrapper,
        "manifest": view.manifest(),
    }
    for element in _ordered(envelope.severed, view.table):
        values[view.table.spell(element)] = view.element(envelope.severed[element])
    if envelope.integrated:
        values["integrated-payloads"] = {
            uri: payload.hex() for uri, payload in envelope.integrated.items()
        }
    return values


def _ordered(elements: Mapping[Element, object], table: Table) -> list[Element]:
    return sorted(elements, key=lambda element: table.elements[element])


class _View:
    def __init__(self, table: Table, manifest: model.Manifest) -> None:
        self.table = table
        self._manifest = manifest
        self._selected: list[Json] | bool = []

    def manifest(self) -> Json:
        manifest = self._manifest
        shared = "common-sequence" if self.table.profile is Profile.DRAFT_09 else "shared-sequence"
        common: dict[str, Json] = {}
        if manifest.dependencies:
            common["dependencies"] = [_dependency(each) for each in manifest.dependencies]
        common["components"] = [_location(each) for each in manifest.components]
        common[shared] = self.sequence(manifest.shared)
        values: dict[str, Json] = {
            "manifest-version": MANIFEST_VERSION,
            "manifest-sequence-number": manifest.sequence_number,
            "common": common,
        }
        if manifest.reference_uri is not None:
            values["reference-uri"] = manifest.reference_uri
        if manifest.component_id is not None:
            values["manifest-component-id"] = _location(manifest.component_id)
        if manifest.version is not None:
            values["set-version"] = list(manifest.version)
        for element in _ordered(manifest.elements, self.table):
            values[self.table.spell(element)] = self.element(manifest.elements[element])
        return values

    def element(self, value: model.ElementValue) -> Json:
        if isinstance(value, model.Digest):
            return _digest(value)
        if isinstance(value, model.Text):
            languages = {tag: _language(text) for tag, text in value.languages.items()}
            return languages.get(model.NO_LANGUAGE, dict(languages))
        return value.hex() if isinstance(value, bytes) else self.sequence(value)

    def sequence(self, commands: model.Commands) -> Json:
        """Return a sequence that starts with the only component, or nothing, selected."""
        locations = self._manifest.components
        self._selected = _location(locations[0]) if len(locations) == 1 else []
        return self._commands(commands)

    def _commands(self, commands: model.Commands) -> list[Json]:
        return [self._command(command) for command in commands]

    def _command(self, command: model.Command) -> Json:  # noqa: C901 - one case for each kind.
        match command:
            case model.SelectComponent(index):
                self._selected = self._select(index)
                return {}
            case model.SelectDependency():
                self._selected = []
                return {}
            case model.Act(name, policy):
                return self._entry(self.table.spell(name), policy)
            case model.SetParameters(values, override):
                name = Name.OVERRIDE_PARAMETERS if override else Name.SET_PARAMETERS
                return self._entry(name.value, self._parameters(values))
            case model.TryEach(alternatives, may_all_fail):
                before = self._selected
                tried: list[Json] = []
                for alternative in alternatives:
                    self._selected = before
                    tried.append(self._commands(alternative))
                self._selected = before
                ends: list[Json] = [None] if may_all_fail else []
                return self._entry(Name.TRY_EACH.value, tried + ends)
            case model.RunSequence(inner):
                return self._entry(Name.RUN_SEQUENCE.value, self._commands(inner))
            case model.OverrideMultiple(by_index):
                several: dict[str, Json] = {
                    str(index): self._parameters(values) for index, values in by_index.items()
                }
                return self._entry(Name.OVERRIDE_MULTIPLE.value, several)
            case model.CopyParameters(names):
                copied: dict[str, Json] = {
                    str(index): [_label(label) for label in labels]
                    for index, labels in names.items()
                }
                return self._entry(Name.COPY_PARAMETERS.value, copied)
            case model.CustomCommand(code, argument):
                shown = argument.hex() if isinstance(argument, bytes) else argument
                return self._entry(str(code), shown)

    def _entry(self, name: str, argument: Json) -> Json:
        return {"command-id": name, "command-arg": argument, "component-id": self._selected}

    def _select(self, index: int | bool | tuple[int, ...]) -> list[Json] | bool:
        """Return the id of one component; True for all, and the indices of several.

        Ids of several components beside each of their commands could fill the memory.
        """
        if isinstance(index, bool):
            return index
        return list(index) if isinstance(index, tuple) else self._location(index)

    def _location(self, index: int) -> list[Json]:
        if index < len(self._manifest.components):
            return _location(self._manifest.components[index])
        prefixes = {each.index: each.prefix for each in self._manifest.dependencies}
        return _location(prefixes.get(index) or ())

    def _parameters(self, values: model.Parameters) -> Json:
        shown: dict[str, Json] = {}
        ordered = sorted(values, key=lambda p: p if isinstance(p, int) else self._number(p))
        for label in ordered:
            shown[_label(label)] = self._parameter(label, values[label])
        return shown

    def _number(self, label: Parameter) -> int:
        return self.table.parameters[label]

    def _parameter(self, label: Parameter | int, value: model.ParameterValue) -> Json:
        if isinstance(value, model.Digest):
            return _digest(value)
        if isinstance(value, model.EnterpriseNumber):
            return {"enterprise-number": value.value.hex()}
        if isinstance(value, bytes):
            return value.hex()
        if label is Parameter.SOURCE_COMPONENT and isinstance(value, int):
            return self._location(value)
        if label is Parameter.COMPRESSION_INFO and isinstance(value, int):
            return _COMPRESSIONS.get(value, value)
        return value


def _label(label: Parameter | int) -> str:
    return str(label) if isinstance(label, int) else label.value


def _digest(digest: model.Digest) -> Json:
    return {"algorithm-id": digest.algorithm.value, "digest-bytes": digest.value.hex()}


def _location(location: model.ComponentId) -> list[Json]:
    return [part.hex() for part in location]


def _dependency(needed: model.Dependency) -> Json:
    values: dict[str, Json] = {"index": needed.index}
    if needed.digest is not None:
        values["dependency-digest"] = _digest(needed.digest)
    if needed.prefix is not None:
        values["dependency-prefix"] = _location(needed.prefix)
    return values


def _block(block: model.CoseBlock) -> Json:
    values: dict[str, Json] = {
        "structure": "COSE_Mac0" if block.is_mac else "COSE_Sign1",
        "algorithm": block.algorithm,
        "tag" if block.is_mac else "signature": block.value.hex(),
    }
    if block.key_id is not None:
        values["key-id"] = block.key_id.hex()
    return values


def _language(text: model.LanguageText) -> Json:
    values: dict[str, Json] = {key.value: entry for key, entry in text.manifest.items()}
    for location, entries in text.components.items():
        name = "/".join(part.hex() for part in location)
        values[name] = {key.value: entry for key, entry in entries.items()}
    return values
