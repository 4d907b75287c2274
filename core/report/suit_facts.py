"""What the commands of a SUIT manifest say about each component, without running them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from fotabuild.formats.suit import model
from fotabuild.formats.suit.names import ComponentText, Element, Name, Parameter

_WRITING = {Name.FETCH, Name.COPY, Name.WRITE, Name.SWAP}


@dataclass
class SuitFacts:
    """All values that are set, by the index of the component.

    Attributes:
        values: what each parameter is set to, in order and without repetitions.
        written: components that a command puts something into.
    """

    values: dict[int, dict[Parameter | int, list[model.ParameterValue]]] = field(
        default_factory=dict
    )
    written: set[int] = field(default_factory=set)

    def of(self, index: int, label: Parameter) -> Sequence[model.ParameterValue]:
        """Return the values of a parameter of one component."""
        return self.values.get(index, {}).get(label, ())

    def all_of(self, label: Parameter) -> tuple[model.ParameterValue, ...]:
        """Return the values of a parameter of all components."""
        found = (value for index in sorted(self.values) for value in self.of(index, label))
        return tuple(dict.fromkeys(found))

    @property
    def alternatives(self) -> int:
        """For how many kinds of devices it is: the most values of what tells devices apart."""
        labels = (
            Parameter.COMPONENT_SLOT,
            Parameter.COMPONENT_OFFSET,
            Parameter.VENDOR_ID,
            Parameter.CLASS_ID,
        )
        counts = [len(self.of(index, label)) for index in self.values for label in labels]
        return max([1, *counts])


def find_facts(envelope: model.Envelope) -> SuitFacts:
    """Collect what all sequences of a manifest say."""
    manifest = envelope.whole_manifest()
    facts = SuitFacts()
    walk = _Walk(facts, len(manifest.components))
    sequences = [value for value in manifest.elements.values() if isinstance(value, tuple)]
    for commands in sequences or [()]:
        walk.selected = walk.first
        walk.run(manifest.shared)
        walk.selected = walk.first
        walk.run(commands)
    return facts


def version_text(envelope: model.Envelope) -> str | None:
    """Return the version that the texts give to the first component that has one."""
    text = envelope.element(Element.TEXT)
    if not isinstance(text, model.Text):
        return None
    for language in text.languages.values():
        for texts in language.components.values():
            if ComponentText.COMPONENT_VERSION in texts:
                return texts[ComponentText.COMPONENT_VERSION]
    return None


class _Walk:
    def __init__(self, facts: SuitFacts, components: int) -> None:
        self.facts = facts
        self.every = tuple(range(components))
        self.first = self.every if components == 1 else ()
        self.selected: tuple[int, ...] = self.first

    def run(self, commands: model.Commands) -> None:
        for command in commands:
            match command:
                case model.SelectComponent(index):
                    self._select(index)
                case model.SelectDependency(index):
                    # Their indices are others than those of components, as in the processor.
                    self.selected = (-1 - int(index),)
                case model.SetParameters(values):
                    self._set(dict.fromkeys(self.selected, values))
                case model.OverrideMultiple(by_index):
                    self._set(by_index)
                case model.TryEach(alternatives):
                    before = self.selected
                    for nested in alternatives:
                        self.selected = before
                        self.run(nested)
                case model.RunSequence(nested):
                    self.run(nested)
                case model.Act(name) if name in _WRITING:
                    self.facts.written.update(self.selected)
                case _:
                    pass

    def _select(self, index: int | bool | tuple[int, ...]) -> None:
        if isinstance(index, bool):
            self.selected = self.every if index else ()
        else:
            self.selected = index if isinstance(index, tuple) else (index,)

    def _set(self, by_index: Mapping[int, model.Parameters]) -> None:
        for index, values in by_index.items():
            known = self.facts.values.setdefault(index, {})
            for label, value in values.items():
                found = known.setdefault(label, [])
                if value not in found:
                    found.append(value)
