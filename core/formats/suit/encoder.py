"""From a manifest to CBOR (suit specification, sections 3 and 5)."""

from __future__ import annotations

import contextlib
import enum
from collections.abc import Iterator, Mapping
from typing import TypeVar

from fotabuild.errors import SuitProfileError
from fotabuild.formats.suit import model
from fotabuild.formats.suit.cbor_writer import CborKey, CborValue, Tagged, encode
from fotabuild.formats.suit.names import (
    MANIFEST_VERSION,
    ComponentText,
    DigestAlgorithm,
    Element,
    ManifestText,
    Name,
    Parameter,
    Profile,
)
from fotabuild.formats.suit.tables import TABLES, Table

_Named = TypeVar("_Named", bound=enum.Enum)
PEN_TAG = 112
#: Key of a text: its place in the list (sections 3 and 5.7).
MANIFEST_TEXTS = tuple(ManifestText)
COMPONENT_TEXTS = tuple(ComponentText)
_REMEDIES = {
    DigestAlgorithm.SHA224: "use sha256, or the profile draft-09",
    Parameter.COMPRESSION_INFO: "use the profile draft-09, let the device decompress while it "
    "downloads, or set compression-parameter to a private label that your devices understand",
    Parameter.COMPONENT_OFFSET: "use 'slot', the index of the slot",
    Name.COMPONENT_OFFSET: "use 'slot', the index of the slot",
    Parameter.COMPONENT_SLOT: "use 'offset', the address of the image",
    Name.COMPONENT_SLOT: "use 'offset', the address of the image",
}


def number(numbers: Mapping[_Named, int], name: _Named, profile: Profile) -> int:
    """Return the number of a name.

    Raises:
        SuitProfileError: the profile has none; the message says the way out.
    """
    if name not in numbers:
        raise SuitProfileError(
            f"the profile {profile.value} has no {name.value}",
            remedy=_REMEDIES.get(name, "use the other profile"),
        )
    return numbers[name]


@contextlib.contextmanager
def at_field(field: str) -> Iterator[None]:
    """Name ``field`` in what a profile cannot say."""
    try:
        yield
    except SuitProfileError as error:
        error.field = field
        raise


def encode_digest(digest: model.Digest, profile: Profile) -> bytes:
    """Return the CBOR of a digest.

    Raises:
        SuitProfileError: the profile does not know its algorithm.
    """
    return encode(_digest(digest, TABLES[profile]))


def encode_commands(commands: model.Commands, profile: Profile) -> bytes:
    """Return the CBOR of a sequence of commands.

    Raises:
        SuitProfileError: the profile does not know a command or parameter.
    """
    return encode(_sequence(commands, TABLES[profile]))


def encode_text(text: model.Text, profile: Profile) -> bytes:
    """Return the CBOR of the texts.

    Raises:
        SuitProfileError: texts in languages for a profile that knows none.
    """
    if TABLES[profile].text_has_languages:
        return encode({tag: _language(entry) for tag, entry in text.languages.items()})
    if len(text.languages) != 1:
        raise SuitProfileError(
            f"the profile {profile.value} has texts in one language only",
            remedy="keep one language, or use the profile current",
        )
    return encode(_language(next(iter(text.languages.values()))))


def encode_manifest(manifest: model.Manifest, profile: Profile) -> bytes:
    """Return the CBOR of the manifest.

    Raises:
        SuitProfileError: the profile does not know a name, or an element.
    """
    table = TABLES[profile]
    common: dict[CborKey, CborValue] = {}
    if manifest.dependencies:
        common[1] = _dependencies(manifest.dependencies, table)
    if manifest.components:
        common[2] = list(manifest.components)
    if manifest.shared:
        common[4] = encode_commands(manifest.shared, profile)
    values: dict[CborKey, CborValue] = {
        1: MANIFEST_VERSION,
        2: manifest.sequence_number,
        3: encode(common),
    }
    if manifest.reference_uri is not None:
        values[4] = manifest.reference_uri
    if manifest.component_id is not None:
        values[5] = manifest.component_id
    if manifest.version is not None:
        values[6] = encode(manifest.version)
    for element, value in manifest.elements.items():
        values[number(table.elements, element, profile)] = (
            _digest(value, table)
            if isinstance(value, model.Digest)
            else encode_element(element, value, profile)
        )
    return encode(values)


def encode_element(element: Element, value: model.ElementValue, profile: Profile) -> bytes:
    """Return the content of the byte string that an element is.

    Raises:
        SuitProfileError: the profile does not know a name.
    """
    if isinstance(value, bytes):
        return value
    if isinstance(value, model.Text):
        return encode_text(value, profile)
    if isinstance(value, model.Digest):
        raise TypeError(f"{element.value} is severed")
    return encode_commands(value, profile)


def _digest(digest: model.Digest, table: Table) -> CborValue:
    return [number(table.digests, digest.algorithm, table.profile), digest.value]


def _dependencies(dependencies: tuple[model.Dependency, ...], table: Table) -> CborValue:
    if table.has_set_parameters:
        return [
            {
                **({1: _digest(entry.digest, table)} if entry.digest else {}),
                **({2: entry.prefix} if entry.prefix is not None else {}),
            }
            for entry in dependencies
        ]
    return {
        entry.index: {1: entry.prefix} if entry.prefix is not None else {} for entry in dependencies
    }


def _language(text: model.LanguageText) -> CborValue:
    values: dict[CborKey, CborValue] = {
        MANIFEST_TEXTS.index(key) + 1: entry for key, entry in text.manifest.items()
    }
    for component, texts in text.components.items():
        values[component] = {COMPONENT_TEXTS.index(key) + 1: entry for key, entry in texts.items()}
    return values


def _sequence(commands: model.Commands, table: Table) -> CborValue:
    flat: list[CborValue] = []
    for command in commands:
        code, argument = _command(command, table)
        flat += [code, argument]
    return flat


def _command(  # noqa: C901 - one case for each kind of command.
    command: model.Command, table: Table
) -> tuple[int, CborValue]:
    def code(name: Name) -> int:
        return number(table.commands, name, table.profile)

    match command:
        case model.Act(name, policy):
            return code(name), policy
        case model.SelectComponent(index):
            return code(Name.SET_COMPONENT_INDEX), index
        case model.SelectDependency(index):
            return code(Name.SET_DEPENDENCY_INDEX), index
        case model.SetParameters(values, override):
            name = Name.OVERRIDE_PARAMETERS if override else Name.SET_PARAMETERS
            return code(name), _parameters(values, table)
        case model.TryEach(alternatives, may_all_fail):
            sequences: list[CborValue] = [encode(_sequence(each, table)) for each in alternatives]
            return code(Name.TRY_EACH), sequences + [None] * may_all_fail
        case model.RunSequence(commands):
            return code(Name.RUN_SEQUENCE), encode(_sequence(commands, table))
        case model.OverrideMultiple(by_index):
            return code(Name.OVERRIDE_MULTIPLE), {
                index: _parameters(values, table) for index, values in by_index.items()
            }
        case model.CopyParameters(names):
            return code(Name.COPY_PARAMETERS), {
                index: [_label(label, table) for label in labels] for index, labels in names.items()
            }
        case model.CustomCommand(custom_code, argument):
            return custom_code, argument


def _label(label: Parameter | int, table: Table) -> int:
    return label if isinstance(label, int) else number(table.parameters, label, table.profile)


def _parameters(values: model.Parameters, table: Table) -> CborValue:
    return {_label(label, table): _parameter(value, table) for label, value in values.items()}


def _parameter(value: model.ParameterValue, table: Table) -> CborValue:
    if isinstance(value, model.Digest):
        return encode(_digest(value, table))
    return Tagged(PEN_TAG, value.value) if isinstance(value, model.EnterpriseNumber) else value
