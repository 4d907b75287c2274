"""From a description to commands (suit specification, section 2). Both profiles come from here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from fotabuild.errors import SuitInputError, SuitProfileError
from fotabuild.formats.suit import model
from fotabuild.formats.suit.command_list import CommandList, same_or_not
from fotabuild.formats.suit.compiler_notes import compile_texts, compiler_warnings
from fotabuild.formats.suit.description import Component, Description, NeededManifest
from fotabuild.formats.suit.encoder import at_field, number
from fotabuild.formats.suit.names import Element, Name, Parameter, Profile
from fotabuild.formats.suit.tables import TABLES, Table

_Group = tuple[Component, ...]
_Parameters = dict[Parameter | int, model.ParameterValue]


@dataclass(frozen=True)
class Compiled:
    """What a description becomes.

    Attributes:
        manifest: the manifest, nothing severed.
        integrated: payloads for the envelope, by URI.
        warnings: what many devices cannot do, or may not be meant so.
    """

    manifest: model.Manifest
    integrated: Mapping[str, bytes]
    warnings: tuple[str, ...]


def compile_manifest(description: Description, profile: Profile) -> Compiled:
    """Compile a description.

    Raises:
        SuitProfileError: the profile cannot say something; the message says the way out.
        SuitInputError: a dependency of ``current`` without component id.
    """
    return _Compiler(description, TABLES[profile]).compile()


class _Compiler:
    def __init__(self, description: Description, table: Table) -> None:
        self._description = description
        self._table = table
        self._groups = description.groups()
        self._locations = description.locations()
        self._needed = description.dependencies
        self._indices = {location: place for place, location in enumerate(self._locations)}
        if not table.has_set_parameters:
            for place, needed in enumerate(self._needed):
                self._indices[self._needed_id(place, needed)] = len(self._locations) + place

    def _needed_id(self, place: int, needed: NeededManifest) -> model.ComponentId:
        if needed.install_id is None:
            raise SuitInputError(
                "the key 'install-id' is missing: where the device keeps this manifest",
                field=f"dependencies[{place}]",
            )
        if needed.install_id in self._locations:
            raise SuitInputError(
                "a component has this id already", field=f"dependencies[{place}].install-id"
            )
        return needed.install_id

    def compile(self) -> Compiled:
        description = self._description
        self._check_profile()
        shared = self._list(shared=True)
        for group in self._groups:
            self._shared(shared, group)
        elements: dict[Element, model.ElementValue] = {}
        for element, add in (
            (Element.PAYLOAD_FETCH, self._payload_fetch),
            (Element.INSTALL, self._install),
            (Element.VALIDATE, self._validate),
            (Element.LOAD, self._load),
            (Element.INVOKE, self._invoke),
        ):
            sequence = self._list()
            if element in (Element.INSTALL, Element.VALIDATE):
                self._process_dependencies(sequence)
            for group in self._groups:
                add(sequence, group)
            if sequence.commands():
                elements[element] = sequence.commands()
        if resolution := self._dependency_resolution():
            elements[Element.DEPENDENCY_RESOLUTION] = resolution
        if text := compile_texts(description, self._table):
            elements[Element.TEXT] = text
        manifest = model.Manifest(
            sequence_number=description.sequence_number,
            components=self._locations,
            shared=shared.commands(),
            elements=elements,
            dependencies=self._dependencies(),
            reference_uri=description.reference_uri,
        )
        integrated = {c.uri: c.content for c in description.components if c.integrate}
        integrated |= {n.uri: n.envelope for n in self._needed if n.integrate}
        if integrated and not self._table.named_payloads:
            raise SuitProfileError(
                f"the profile {self._table.profile.value} has no integrated payloads",
                remedy="publish the payload and give its uri, or use the profile current",
            )
        warnings = (*description.warnings, *compiler_warnings(manifest, description))
        named = {k: v for k, v in integrated.items() if k is not None and v is not None}
        return Compiled(manifest, named, warnings)

    def _check_profile(self) -> None:
        """Name the component that the profile cannot express, which the encoder could not."""
        profile, table = self._table.profile, self._table
        for c in self._description.components:
            for key, digest in (
                ("install-digest", c.install_digest),
                ("download-digest", c.download_digest),
                ("load-digest", c.load_digest),
            ):
                if digest is not None:
                    with at_field(f"{c.path}.{key}"):
                        number(table.digests, digest.algorithm, profile)
            labels = [*self._selectors(c), *self._compression(c)]
            for label in labels:
                if isinstance(label, Parameter):
                    with at_field(f"{c.path}.{label.value}"):
                        number(table.parameters, label, profile)

    def _list(self, *, shared: bool = False) -> CommandList:
        indices = dict(self._indices)
        if self._needed and self._table.has_set_parameters:
            # Selecting a dependency of draft-09 deselects the component, even the only one.
            indices.setdefault((), -1)
        return CommandList(indices, override=shared or not self._table.has_set_parameters)

    # One method for each section: what it sets, and what it does.

    def _shared(self, sequence: CommandList, group: _Group) -> None:
        def parameters(c: Component) -> _Parameters:
            return {Parameter.IMAGE_DIGEST: c.install_digest, Parameter.IMAGE_SIZE: c.install_size}

        selectors = [self._selectors(component) for component in group]
        self._build(sequence, group, group[0].install_id, parameters, selectors)

    def _payload_fetch(self, sequence: CommandList, group: _Group) -> None:
        first = group[0]
        if first.uri is None or not first.staged or first.download_id is None:
            return

        def parameters(c: Component) -> _Parameters:
            values: _Parameters = {Parameter.URI: c.uri or ""}
            if c.download_digest is not None:
                values[Parameter.IMAGE_DIGEST] = c.download_digest
            return values

        self._build(sequence, group, first.download_id, parameters)
        self._act(sequence, first.download_id, Name.FETCH, Name.IMAGE_MATCH)

    def _install(self, sequence: CommandList, group: _Group) -> None:
        first = group[0]
        if first.uri is None:
            return

        def parameters(c: Component) -> _Parameters:
            values: _Parameters = {}
            if first.staged and c.download_id is not None:
                values[Parameter.SOURCE_COMPONENT] = sequence.index(c.download_id)
            else:
                values[Parameter.URI] = c.uri or ""
            return values if c.decompress_on_load else values | self._compression(c)

        selectors: list[_Parameters] | None = None
        if not first.staged:
            slot = (Parameter.COMPONENT_SLOT, Parameter.COMPONENT_OFFSET)
            selectors = [{k: v for k, v in self._selectors(c).items() if k in slot} for c in group]
        self._build(sequence, group, first.install_id, parameters, selectors)
        directive = Name.COPY if first.staged else Name.FETCH
        self._act(sequence, first.install_id, directive, Name.IMAGE_MATCH)

    def _validate(self, sequence: CommandList, group: _Group) -> None:
        self._act(sequence, group[0].install_id, Name.IMAGE_MATCH)

    def _load(self, sequence: CommandList, group: _Group) -> None:
        load_id = group[0].load_id
        if not group[0].loadable or load_id is None:
            return

        def parameters(c: Component) -> _Parameters:
            values: _Parameters = {Parameter.SOURCE_COMPONENT: sequence.index(c.install_id)}
            if c.load_digest is not None:
                values[Parameter.IMAGE_DIGEST] = c.load_digest
            if c.load_size is not None:
                values[Parameter.IMAGE_SIZE] = c.load_size
            return values | self._compression(c) if c.decompress_on_load else values

        self._build(sequence, group, load_id, parameters)
        self._act(sequence, load_id, Name.COPY, Name.IMAGE_MATCH)

    def _invoke(self, sequence: CommandList, group: _Group) -> None:
        first = group[0]
        if any(component.bootable for component in group):
            loaded = first.load_id if first.loadable else None
            self._act(sequence, loaded or first.install_id, Name.INVOKE)

    # What all of them are made of.

    def _act(self, sequence: CommandList, location: model.ComponentId, *names: Name) -> None:
        sequence.select(location)
        for name in names:
            sequence.add(name)

    def _build(
        self,
        sequence: CommandList,
        group: _Group,
        target: model.ComponentId,
        parameters: Callable[[Component], _Parameters],
        selectors: Sequence[_Parameters] | None = None,
    ) -> None:
        """Add the building step of section 2.1.

        Args:
            sequence: gets the commands.
            group: the alternatives.
            target: what the parameters are for.
            parameters: those of one alternative.
            selectors: what the section itself sets and checks about the device, for each
                alternative. Where parameters differ, all that tells alternatives apart is added.
        """
        home = group[0].install_id
        selectors = selectors or [{} for _ in group]
        same, different = same_or_not([parameters(component) for component in group])
        same_selectors, own = same_or_not([dict(each) for each in selectors])
        if any(different) or any(own):
            _, own = same_or_not([self._selectors(component) for component in group])
        if same | same_selectors:
            sequence.select(target)
            sequence.set(same | same_selectors)
        if any(different) or any(own):
            if not same | same_selectors:
                sequence.select(home)
            keep = len(self._places(group)) == 1 and not self._table.single_index_in_alternatives
            alternatives = []
            for selector, rest in zip(own, different, strict=True):
                nested = sequence.nested(keep_selection=keep)
                nested.select(home)
                nested.set(selector)
                self._check(nested, selector)
                nested.select(target)
                nested.set(rest)
                alternatives.append(nested)
            sequence.try_each(alternatives)
        if same_selectors:
            sequence.select(target)
            self._check(sequence, same_selectors)

    def _places(self, group: _Group) -> set[model.ComponentId]:
        ids = ((c.install_id, c.download_id, c.load_id) for c in group)
        return {place for each in ids for place in each if place is not None}

    def _check(self, sequence: CommandList, selectors: _Parameters) -> None:
        for parameter, condition in _CONDITIONS:
            if parameter in selectors:
                sequence.add(condition)

    def _selectors(self, component: Component) -> _Parameters:
        values: _Parameters = {}
        if component.vendor_id is not None:
            values[Parameter.VENDOR_ID] = component.vendor_id.bytes
        if component.class_id is not None:
            values[Parameter.CLASS_ID] = component.class_id.bytes
        if component.slot is not None:
            values[Parameter.COMPONENT_SLOT] = component.slot
        if component.offset is not None:
            values[Parameter.COMPONENT_OFFSET] = component.offset
        return values

    def _compression(self, component: Component) -> _Parameters:
        if component.compression is None:
            return {}
        label: Parameter | int = Parameter.COMPRESSION_INFO
        if label not in self._table.parameters and self._description.compression_parameter:
            label = self._description.compression_parameter
        return {label: component.compression.number}

    # Dependencies, which the two profiles have in different forms (sections 3 and 5.6).

    def _dependencies(self) -> tuple[model.Dependency, ...]:
        if self._table.has_set_parameters:
            return tuple(
                model.Dependency(place, needed.install_id, needed.manifest_digest)
                for place, needed in enumerate(self._needed)
            )
        return tuple(
            model.Dependency(len(self._locations) + place, needed.install_id)
            for place, needed in enumerate(self._needed)
        )

    def _select_dependency(self, sequence: CommandList, place: int) -> None:
        install_id = self._needed[place].install_id
        if self._table.has_set_parameters or install_id is None:
            sequence.select_dependency(place)
        else:
            sequence.select(install_id)

    def _dependency_resolution(self) -> model.Commands:
        sequence = self._list()
        for place, needed in enumerate(self._needed):
            if needed.uri is None:
                continue
            self._select_dependency(sequence, place)
            values: _Parameters = {Parameter.URI: needed.uri}
            check = Name.IMAGE_MATCH
            if not self._table.has_set_parameters:
                # The condition that says whose digest it means: the one of the child's manifest.
                check = Name.DEPENDENCY_INTEGRITY
                values[Parameter.IMAGE_DIGEST] = needed.manifest_digest
                values[Parameter.IMAGE_SIZE] = len(needed.envelope)
            sequence.set(values)
            sequence.add(Name.FETCH)
            sequence.add(check)
        return sequence.commands()

    def _process_dependencies(self, sequence: CommandList) -> None:
        for place, needed in enumerate(self._needed):
            self._select_dependency(sequence, place)
            if not self._table.has_set_parameters:
                sequence.set({Parameter.IMAGE_DIGEST: needed.manifest_digest})
                sequence.add(Name.DEPENDENCY_INTEGRITY)
            sequence.add(Name.PROCESS_DEPENDENCY)


#: Order of the conditions, each with the parameter that it checks.
_CONDITIONS = (
    (Parameter.COMPONENT_SLOT, Name.COMPONENT_SLOT),
    (Parameter.COMPONENT_OFFSET, Name.COMPONENT_OFFSET),
    (Parameter.VENDOR_ID, Name.VENDOR_IDENTIFIER),
    (Parameter.CLASS_ID, Name.CLASS_IDENTIFIER),
)
