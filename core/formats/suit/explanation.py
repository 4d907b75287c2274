"""A manifest in words: what the device will do, step by step."""

from __future__ import annotations

import uuid
from collections.abc import Iterator

from fotabuild.errors import printable
from fotabuild.formats.suit import model
from fotabuild.formats.suit.names import UUID_SIZE, Compression, Element, Name, Parameter
from fotabuild.formats.suit.tables import TABLES

_TITLES = {
    Element.DEPENDENCY_RESOLUTION: "Get the other manifests that are needed",
    Element.PAYLOAD_FETCH: "Download",
    Element.CANDIDATE_VERIFICATION: "Check the downloads",
    Element.INSTALL: "Install",
    Element.VALIDATE: "At every start: validate",
    Element.LOAD: "At every start: load",
    Element.INVOKE: "At every start: run",
    Element.UNINSTALL: "When it is removed",
}
_ORDER = tuple(_TITLES)
_SENTENCES = {
    Name.VENDOR_IDENTIFIER: "stop unless the vendor id is that of {place}",
    Name.CLASS_IDENTIFIER: "stop unless the class id is that of {place}",
    Name.DEVICE_IDENTIFIER: "stop unless the device id is that of this device",
    Name.IMAGE_MATCH: "stop unless {place} has the stated digest and size",
    Name.IMAGE_NOT_MATCH: "stop if {place} has the stated digest",
    Name.COMPONENT_SLOT: "stop unless updates of {place} go to the stated slot",
    Name.COMPONENT_OFFSET: "stop unless images for {place} are linked to the stated offset",
    Name.CHECK_CONTENT: "stop unless {place} has the stated content",
    Name.USE_BEFORE: "stop after the stated date",
    Name.MINIMUM_BATTERY: "stop below the stated battery level",
    Name.UPDATE_AUTHORIZED: "stop unless somebody allows the update",
    Name.VERSION: "stop unless {place} has a fitting version",
    Name.IS_DEPENDENCY: "stop unless {place} is a manifest",
    Name.DEPENDENCY_INTEGRITY: "stop unless the manifest in {place} has the stated digest",
    Name.PROCESS_DEPENDENCY: "do the same part of the manifest in {place}",
    Name.ABORT: "stop",
    Name.FETCH: "download from the stated URI into {place}",
    Name.COPY: "copy the stated source into {place}",
    Name.WRITE: "write the stated content into {place}",
    Name.SWAP: "exchange {place} and the stated source",
    Name.INVOKE: "start {place}",
    Name.WAIT: "wait for the stated event",
    Name.UNLINK: "remove {place}",
    Name.RUN_WITH_ARGUMENTS: "start {place} with arguments",
}
_UUIDS = (Parameter.VENDOR_ID, Parameter.CLASS_ID, Parameter.DEVICE_ID)
_COMPRESSIONS = {each.number: each.value for each in Compression}
#: Longer byte strings are data, of which people need to see how much it is.
_SHOWN = 64


def explain(envelope: model.Envelope) -> str:
    """Return the manifest in words. Digests and signatures are not checked here."""
    return "\n".join(printable(line) for line in _Explanation(envelope).lines()) + "\n"


class _Explanation:
    def __init__(self, envelope: model.Envelope) -> None:
        self._envelope = envelope
        self._manifest = envelope.manifest
        self._table = TABLES[envelope.profile]
        self._place = ""

    def lines(self) -> Iterator[str]:
        envelope, manifest = self._envelope, self._manifest
        yield f"SUIT manifest, profile {envelope.profile.value}"
        yield f"sequence number {manifest.sequence_number}"
        yield f"signatures: {len(envelope.blocks)} (not verified here)"
        yield f"manifest {envelope.digest.algorithm.value} {envelope.digest.value.hex()}"
        if manifest.reference_uri is not None:
            yield f"full manifest at {manifest.reference_uri}"
        for index, location in enumerate(manifest.components):
            yield f"component {index}: {_name(location)}"
        for needed in manifest.dependencies:
            prefix = "" if needed.prefix is None else f", kept in {_name(needed.prefix)}"
            yield f"needs another manifest, number {needed.index}{prefix}"
        for uri, payload in envelope.integrated.items():
            yield f"payload in the envelope: {uri}, {len(payload)} bytes"
        yield from self._text()
        yield ""
        yield "Before every part:"
        yield from self._sequence(manifest.shared)
        for element in _ORDER:
            value = envelope.element(element)
            if value is not None:
                yield ""
                yield f"{_TITLES[element]} ({self._table.spell(element)}):"
                if isinstance(value, tuple):
                    yield from self._sequence(value)
                else:
                    yield "  removed from the envelope; only its digest is left"

    def _text(self) -> Iterator[str]:
        value = self._envelope.element(Element.TEXT)
        if isinstance(value, model.Digest):
            yield "texts: removed from the envelope"
        if not isinstance(value, model.Text):
            return
        for tag, language in value.languages.items():
            where = f" [{tag}]" if tag else ""
            for key, entry in language.manifest.items():
                yield f"{key.value}{where}: {entry}"
            for location, entries in language.components.items():
                for about, entry in entries.items():
                    yield f"{_name(location)}, {about.value}{where}: {entry}"

    def _sequence(self, commands: model.Commands) -> Iterator[str]:
        single = len(self._manifest.components) == 1
        self._place = self._locate(0) if single else "no component"
        if not commands:
            yield "  nothing"
        yield from self._commands(commands, "  ")

    def _commands(self, commands: model.Commands, indent: str) -> Iterator[str]:
        for command in commands:
            match command:
                case model.SelectComponent(index):
                    self._place = self._locate(index)
                case model.SelectDependency(index):
                    self._place = f"the needed manifest {index}"
                case model.TryEach():
                    yield from self._try_each(command, indent)
                case model.RunSequence(inner):
                    yield f"{indent}together:"
                    yield from self._commands(inner, indent + "  ")
                case _:
                    yield from (indent + line for line in self._single(command))

    def _try_each(self, command: model.TryEach, indent: str) -> Iterator[str]:
        for place, inner in enumerate(command.alternatives):
            yield f"{indent}{'try' if place == 0 else 'if that stops, try'}:"
            yield from self._commands(inner, indent + "  ")
        if command.may_all_fail:
            yield f"{indent}if that stops too, go on"

    def _single(self, command: model.Command) -> Iterator[str]:
        match command:
            case model.Act(name):
                yield _SENTENCES[name].format(place=self._place)
            case model.SetParameters(values):
                yield from self._set(self._place, values)
            case model.OverrideMultiple(by_index):
                for index, values in by_index.items():
                    yield from self._set(self._locate(index), values)
            case model.CopyParameters(names):
                for index in names:
                    yield f"{self._place}: parameters of {self._locate(index)}"
            case model.CustomCommand(code):
                yield f"private command {code}, which only some devices understand"

    def _set(self, place: str, values: model.Parameters) -> Iterator[str]:
        for label, value in values.items():
            yield f"{place}: {self._parameter(label, value)}"

    def _locate(self, index: int | bool | tuple[int, ...]) -> str:
        if isinstance(index, bool):
            return "all components" if index else "no component"
        if isinstance(index, tuple):
            return f"components {', '.join(map(str, index))}"
        if index < len(self._manifest.components):
            return f"component {index} {_name(self._manifest.components[index])}"
        return f"component {index}"

    def _parameter(self, label: Parameter | int, value: model.ParameterValue) -> str:
        name = f"private parameter {label}" if isinstance(label, int) else label.value
        if isinstance(value, model.Digest):
            return f"{name} {value.algorithm.value} {value.value.hex()}"
        if isinstance(value, model.EnterpriseNumber):
            return f"{name} is the enterprise number {value.value.hex()}"
        if label in _UUIDS and isinstance(value, bytes) and len(value) == UUID_SIZE:
            return f"{name} {uuid.UUID(bytes=value)}"
        if label is Parameter.SOURCE_COMPONENT and isinstance(value, int):
            return f"source is {self._locate(value)}"
        if label is Parameter.COMPRESSION_INFO and isinstance(value, int):
            return f"compressed with {_COMPRESSIONS.get(value, value)}"
        return f"{name} {_digits(value) if isinstance(value, bytes) else value}"


def _digits(value: bytes) -> str:
    if len(value) <= _SHOWN:
        return value.hex()
    return f"{value[: _SHOWN // 2].hex()}... ({len(value)} bytes)"


def _name(location: model.ComponentId) -> str:
    return f"[{' '.join(_part(part) for part in location)}]"


def _part(part: bytes) -> str:
    """Return a part of a component id: words in quotes, anything else in hexadecimal."""
    if len(part) > 1 and all(0x21 <= byte <= 0x7E for byte in part):
        return f"'{part.decode('ascii')}'"
    return part.hex() or "empty"
