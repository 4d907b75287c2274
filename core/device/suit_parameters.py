"""Which parameters of a manifest are set for the same component, told without running it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from fotabuild.formats.suit import model
from fotabuild.formats.suit.names import Parameter


@dataclass
class ParametersTogether:
    """What one element of a manifest, and the shared sequence before it, set for one component.

    Attributes:
        uris: where its payload may come from.
        digests: digests that it may have.
        changes: names of parameters that may make a device change the payload on its way.
    """

    uris: set[str] = field(default_factory=set)
    digests: set[model.Digest] = field(default_factory=set)
    changes: set[str] = field(default_factory=set)

    def add(self, values: model.Parameters) -> None:
        """Add what a command sets."""
        for label, value in values.items():
            if isinstance(label, int):
                self.changes.add(f"the private parameter {label}")
            elif label is Parameter.ENCRYPTION_INFO:
                self.changes.add(label.value)
            elif isinstance(value, model.Digest):
                self.digests.add(value)
            elif label is Parameter.URI and isinstance(value, str):
                self.uris.add(value)

    def update(self, other: ParametersTogether) -> None:
        """Add what another component has."""
        self.uris |= other.uris
        self.digests |= other.digests
        self.changes |= other.changes


def parameters_together(manifest: model.Manifest) -> tuple[ParametersTogether, ...]:
    """Return what is set for each component in each element, whatever alternative is taken."""
    sequences = [each for each in manifest.elements.values() if isinstance(each, tuple)]
    found: list[ParametersTogether] = []
    for sequence in sequences or [()]:
        walk = _Walk(manifest)
        walk.follow((*manifest.shared, *sequence))
        found += walk.components.values()
    return tuple(found)


class _Walk:
    """Follows the selected components through one element; all alternatives count."""

    def __init__(self, manifest: model.Manifest) -> None:
        self._all = tuple(self._indices(manifest))
        self._selected: tuple[int, ...] = self._all if len(self._all) == 1 else ()
        self.components: dict[int, ParametersTogether] = {}

    @staticmethod
    def _indices(manifest: model.Manifest) -> Iterator[int]:
        yield from range(len(manifest.components))
        yield from (needed.index for needed in manifest.dependencies)

    def follow(self, commands: model.Commands) -> None:  # noqa: C901 - one case for each kind.
        for command in commands:
            match command:
                case model.SelectComponent(bool(every)):
                    self._selected = self._all if every else ()
                case model.SelectComponent(index):
                    self._selected = index if isinstance(index, tuple) else (index,)
                case model.SetParameters(values):
                    for index in self._selected:
                        self._at(index).add(values)
                case model.OverrideMultiple(by_index):
                    for index, values in by_index.items():
                        self._at(index).add(values)
                case model.CopyParameters(names):
                    for source in names:
                        for index in self._selected:
                            self._at(index).update(self._at(source))
                case model.TryEach(alternatives):
                    for each in alternatives:
                        self.follow(each)
                case model.RunSequence(inner):
                    self.follow(inner)

    def _at(self, index: int) -> ParametersTogether:
        return self.components.setdefault(index, ParametersTogether())
