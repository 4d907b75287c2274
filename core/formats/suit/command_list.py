"""Commands on component ids while they are put together; indices are written where needed."""

from __future__ import annotations

from fotabuild.formats.suit import model
from fotabuild.formats.suit.names import Name, Parameter

POLICIES = {
    Name.VENDOR_IDENTIFIER: 15,
    Name.CLASS_IDENTIFIER: 15,
    Name.DEVICE_IDENTIFIER: 15,
    Name.IMAGE_MATCH: 15,
    Name.DEPENDENCY_INTEGRITY: 15,
    Name.COMPONENT_SLOT: 5,
    Name.COMPONENT_OFFSET: 5,
    Name.FETCH: 2,
    Name.COPY: 2,
    Name.INVOKE: 2,
    Name.PROCESS_DEPENDENCY: 0,
}


class CommandList:
    """A sequence in the making.

    Args:
        indices: index of every location that commands may be about.
        override: whether parameters replace values that are set already.
        selected: the location that is selected when the sequence starts.
    """

    def __init__(
        self,
        indices: dict[model.ComponentId, int],
        *,
        override: bool,
        selected: model.ComponentId | None = None,
    ) -> None:
        self._indices = indices
        self._override = override
        self._selected = selected
        self._commands: list[model.Command] = []
        self.selects = False

    def select(self, location: model.ComponentId) -> None:
        """Make the commands that follow be about a location."""
        if self._selected != location and len(self._indices) > 1:
            self._commands.append(model.SelectComponent(self._indices[location]))
            self.selects = True
        self._selected = location

    def select_dependency(self, index: int) -> None:
        """Make the commands that follow be about a dependency of draft-09."""
        self._commands.append(model.SelectDependency(index))
        self._selected = None

    def add(self, name: Name) -> None:
        """Add a condition or directive with its usual policy."""
        self._commands.append(model.Act(name, POLICIES[name]))

    def set(self, parameters: model.Parameters) -> None:
        """Set parameters, if there are any."""
        if parameters:
            self._commands.append(model.SetParameters(parameters, self._override))

    def try_each(self, alternatives: list[CommandList]) -> None:
        """Add alternatives; when they select something, nothing is selected behind them."""
        self._commands.append(model.TryEach(tuple(each.commands() for each in alternatives)))
        if any(each.selects for each in alternatives):
            self._selected = None

    def nested(self, *, keep_selection: bool) -> CommandList:
        """Return an empty sequence to be nested in this one."""
        selected = self._selected if keep_selection else None
        return CommandList(self._indices, override=self._override, selected=selected)

    def index(self, location: model.ComponentId) -> int:
        """Return the index of a location."""
        return self._indices[location]

    def commands(self) -> model.Commands:
        """Return what was put together."""
        return tuple(self._commands)


def same_or_not(
    values: list[dict[Parameter | int, model.ParameterValue]],
) -> tuple[
    dict[Parameter | int, model.ParameterValue], list[dict[Parameter | int, model.ParameterValue]]
]:
    """Split the parameters of alternatives into those that all share and the rest of each."""
    first = values[0]
    same = {
        label: value
        for label, value in first.items()
        if all(other.get(label) == value for other in values)
    }
    return same, [{k: v for k, v in each.items() if k not in same} for each in values]
