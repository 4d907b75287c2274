"""From CBOR to commands and parameters."""

from __future__ import annotations

from fotabuild.formats.suit import model
from fotabuild.formats.suit.cbor_reader import Kind
from fotabuild.formats.suit.cursor import Cursor
from fotabuild.formats.suit.encoder import PEN_TAG
from fotabuild.formats.suit.names import (
    POLICY_MAX,
    PRIVATE_MAX,
    UUID_SIZE,
    DigestAlgorithm,
    Name,
    Parameter,
)
from fotabuild.formats.suit.tables import Table
from fotabuild.limits import READ_LIMITS

_UUIDS = {Parameter.VENDOR_ID, Parameter.CLASS_ID, Parameter.DEVICE_ID}
_NUMBERS = {
    Parameter.USE_BEFORE,
    Parameter.COMPONENT_OFFSET,
    Parameter.COMPONENT_SLOT,
    Parameter.IMAGE_SIZE,
    Parameter.COMPRESSION_INFO,
    Parameter.SOURCE_COMPONENT,
    Parameter.MINIMUM_BATTERY,
}
_FLAGS = {Parameter.STRICT_ORDER, Parameter.SOFT_FAILURE}
#: Directives that may run before every element: nothing that changes a component.
_SHARED_DIRECTIVES = {
    Name.SET_COMPONENT_INDEX,
    Name.SET_DEPENDENCY_INDEX,
    Name.TRY_EACH,
    Name.SET_PARAMETERS,
    Name.OVERRIDE_PARAMETERS,
    Name.RUN_SEQUENCE,
    Name.OVERRIDE_MULTIPLE,
    Name.COPY_PARAMETERS,
}


class SequenceDecoder:
    """Decodes the commands of one envelope.

    Args:
        table: numbers of the profile.
    """

    def __init__(self, table: Table) -> None:
        self._commands = {number: name for name, number in table.commands.items()}
        self._parameters = {number: name for name, number in table.parameters.items()}
        self._digests = {number: name for name, number in table.digests.items()}
        self._spell = table.spell
        self._needs_two = not table.has_set_parameters

    def digest(self, at: Cursor) -> model.Digest:
        """Read a digest."""
        parts = at.elements()
        if len(parts) != 2:
            at.fail(f"a digest has 2 elements, not {len(parts)}")
        algorithm = self._algorithm(parts[0])
        return model.Digest(algorithm, parts[1].byte_string(algorithm.size))

    def _algorithm(self, at: Cursor) -> DigestAlgorithm:
        code = at.integer()
        if code not in self._digests:
            at.fail(f"unknown digest algorithm {code}")
        at.name(self._digests[code].value)
        return self._digests[code]

    def component_id(self, at: Cursor) -> model.ComponentId:
        """Read a component id."""
        location = tuple(part.byte_string() for part in at.elements())
        # Each part counts at least once: what people are shown repeats ids for every command.
        if sum(len(part) + 1 for part in location) > READ_LIMITS.suit_location_size:
            at.fail(f"a component id of more than {READ_LIMITS.suit_location_size} bytes")
        return location

    def commands(self, at: Cursor, *, shared: bool = False) -> model.Commands:
        """Read a sequence of commands.

        Args:
            at: the array.
            shared: whether only commands are allowed that change nothing.
        """
        items = at.elements()
        if len(items) % 2 or not items:
            at.fail("a sequence of commands has a code and an argument for each, and one at least")
        commands = []
        for code, argument in zip(items[::2], items[1::2], strict=True):
            commands.append(self._command(code, argument, shared=shared))
        return tuple(commands)

    def _command(  # noqa: C901 - one case for each kind of command.
        self, code: Cursor, argument: Cursor, *, shared: bool
    ) -> model.Command:
        number = code.integer()
        if number <= PRIVATE_MAX:
            if shared:
                code.fail("a private command in the shared sequence")
            code.name("private command")
            return model.CustomCommand(number, self._custom(argument))
        name = self._commands.get(number)
        if name is None:
            code.fail(f"unknown command {number}")
        code.name(self._spell(name))
        if shared and not name.is_condition and name not in _SHARED_DIRECTIVES:
            code.fail(f"{name.value} is not allowed in the shared sequence")
        match name:
            case Name.SET_COMPONENT_INDEX:
                return model.SelectComponent(self._index(argument))
            case Name.SET_DEPENDENCY_INDEX:
                return model.SelectDependency(self._single_index(argument))
            case Name.SET_PARAMETERS | Name.OVERRIDE_PARAMETERS:
                override = name is Name.OVERRIDE_PARAMETERS
                return model.SetParameters(self.parameters(argument), override)
            case Name.TRY_EACH:
                return self._try_each(argument, shared=shared)
            case Name.RUN_SEQUENCE:
                return model.RunSequence(self.commands(argument.embedded(), shared=shared))
            case Name.OVERRIDE_MULTIPLE:
                return model.OverrideMultiple(
                    {key.unsigned(): self.parameters(value) for key, value in argument.entries()}
                )
            case Name.COPY_PARAMETERS:
                return model.CopyParameters(
                    {
                        key.unsigned(): tuple(self._label(each) for each in value.elements())
                        for key, value in argument.entries()
                    }
                )
        policy = argument.unsigned()
        if policy > POLICY_MAX:
            argument.fail(f"reporting policy {policy} is above {POLICY_MAX}")
        return model.Act(name, policy)

    def _custom(self, at: Cursor) -> bytes | str | int | None:
        value = at.scalar()
        scalars = (Kind.BYTES, Kind.TEXT, Kind.UNSIGNED, Kind.NEGATIVE, Kind.SIMPLE)
        if at.item.kind not in scalars or isinstance(value, bool):
            at.fail(f"expected bytes, text, a number or null, found {at.item.kind.value}")
        return value

    def _single_index(self, at: Cursor) -> int | bool:
        return at.boolean() if at.item.kind is Kind.SIMPLE else at.unsigned()

    def _index(self, at: Cursor) -> int | bool | tuple[int, ...]:
        if at.item.kind is not Kind.ARRAY:
            index = self._single_index(at)
            if self._needs_two and index is False:
                at.fail("the component index is a number, a list of numbers, or true")
            return index
        indices = tuple(each.unsigned() for each in at.elements())
        if not indices:
            at.fail("an empty list of component indices")
        if len(indices) > READ_LIMITS.suit_components:
            at.fail(f"{len(indices)} component indices; at most {READ_LIMITS.suit_components}")
        return indices

    def _try_each(self, at: Cursor, *, shared: bool) -> model.TryEach:
        items = at.elements()
        may_all_fail = bool(items) and items[-1].item.kind is Kind.SIMPLE
        if may_all_fail:
            if not items[-1].is_null:
                items[-1].fail("expected null")
            items.pop()
        if len(items) < (2 if self._needs_two else 1):
            at.fail(f"try-each with {len(items)} sequences; it needs two")
        alternatives = tuple(self.commands(each.embedded(), shared=shared) for each in items)
        return model.TryEach(alternatives, may_all_fail)

    def _label(self, at: Cursor) -> Parameter | int:
        number = at.integer()
        if number <= PRIVATE_MAX:
            at.name("private parameter")
            return number
        if number not in self._parameters:
            at.fail(f"unknown parameter {number}")
        at.name(self._parameters[number].value)
        return self._parameters[number]

    def parameters(self, at: Cursor) -> model.Parameters:
        """Read a map of parameters."""
        values: dict[Parameter | int, model.ParameterValue] = {}
        for key, value in at.entries():
            label = self._label(key)
            name = label.value if isinstance(label, Parameter) else str(label)
            values[label] = self._parameter(label, at.at(value.item, name))
        return values

    def _parameter(self, label: Parameter | int, at: Cursor) -> model.ParameterValue:
        if isinstance(label, int):
            value = at.scalar()
            if value is None or at.item.kind is Kind.TAG:
                at.fail(f"a private parameter cannot be {at.item.kind.value}")
            return value
        if label is Parameter.IMAGE_DIGEST:
            return self.digest(at.embedded())
        if label in _UUIDS:
            if label is Parameter.VENDOR_ID and at.item.kind is Kind.TAG:
                if at.item.value != PEN_TAG:
                    at.fail(
                        f"tag {at.item.value!r} is not that of an enterprise number ({PEN_TAG})"
                    )
                return model.EnterpriseNumber(at.at(at.item.items[0], "number").byte_string())
            return at.byte_string(UUID_SIZE)
        if label in _NUMBERS:
            return at.unsigned()
        if label in _FLAGS:
            return at.boolean()
        if label is Parameter.URI:
            return at.text()
        return at.integer() if label is Parameter.UPDATE_PRIORITY else at.byte_string()
