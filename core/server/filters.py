"""Filter expressions of lists and campaigns (device-management-api, section 1.7)."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import unquote

from fotabuild.server.clock import parse_time
from fotabuild.server.limits import ServerLimits
from fotabuild.server.refusal import invalid


class FieldKind(enum.Enum):
    """What can be asked of a field."""

    TEXT = "text"
    UUID = "uuid"
    TIME = "time"
    NOTHING = "nothing"


@dataclass(frozen=True)
class FilterField:
    """A field that a kind of object can be filtered by.

    Attributes:
        kind: what can be asked of it.
        column: its expression in SQL; never text of a client.
    """

    kind: FieldKind
    column: str = ""


Fields = Mapping[str, FilterField]


@dataclass(frozen=True)
class Condition:
    """A filter as SQL.

    Attributes:
        sql: an expression with a place for each parameter.
        parameters: the values.
    """

    sql: str
    parameters: tuple[object, ...]


_LISTS = ("eq", "neq", "in", "nin")
_OPERATORS = {
    FieldKind.TEXT: _LISTS,
    FieldKind.UUID: _LISTS,
    FieldKind.TIME: ("lte", "gte"),
    FieldKind.NOTHING: ("eq",),
}
_SQL = {"eq": "= ?", "neq": "<> ?", "lte": "<= ?", "gte": ">= ?"}


def text_fields(*names: str) -> dict[str, FilterField]:
    """Return fields of text whose column has their name."""
    return {name: FilterField(FieldKind.TEXT, name) for name in names}


def time_fields(*names: str) -> dict[str, FilterField]:
    """Return fields that are times whose column has their name."""
    return {name: FilterField(FieldKind.TIME, name) for name in names}


def parse_filter(text: str, fields: Fields, limits: ServerLimits, where: str) -> Condition:
    """Read a filter: terms joined by ``&``, all of which must hold.

    Args:
        text: the expression; values may be percent-encoded.
        fields: what can be asked for.
        limits: bounds on its length.
        where: name of the field of the request that holds it, for the message.

    Raises:
        Refusal: unknown field or operator, bad value, empty or too long.
    """
    if len(text) > limits.filter:
        raise invalid(where, f"longer than {limits.filter} characters")
    terms = text.split("&")
    if len(terms) > limits.filter_terms:
        raise invalid(where, f"more than {limits.filter_terms} terms")
    if not text.strip():
        raise invalid(where, "empty; name at least one term, such as id__eq=...")
    pairs = []
    for term in terms:
        name, separator, value = term.partition("=")
        if not (separator and name):
            raise invalid(where, f"{term[:80]!r} is not a term such as name__eq=value")
        pairs.append((name, unquote(value)))
    return parse_terms(pairs, fields, limits, where)


def parse_terms(
    pairs: Iterable[tuple[str, str]], fields: Fields, limits: ServerLimits, where: str
) -> Condition:
    """Read terms that are split into ``field__op`` and value already.

    Raises:
        Refusal: as :func:`parse_filter`.
    """
    parts: list[str] = []
    parameters: list[object] = []
    for number, (name, value) in enumerate(pairs, 1):
        if number > limits.filter_terms:
            raise invalid(where, f"more than {limits.filter_terms} terms")
        sql, values = _term(name, value, fields, where)
        parts.append(sql)
        parameters += values
    return Condition(" AND ".join(parts) or "1", tuple(parameters))


def _term(name: str, value: str, fields: Fields, where: str) -> tuple[str, list[object]]:
    field_name, separator, operator = name.rpartition("__")
    if not separator or field_name == "custom_attributes":
        field_name, operator = name, "eq"
    if field_name.startswith("custom_attributes__"):
        field = FilterField(FieldKind.NOTHING)
    elif field_name in fields:
        field = fields[field_name]
    else:
        raise invalid(where, f"unknown field {field_name[:60]!r}")
    operators = _OPERATORS[field.kind]
    if operator not in operators:
        raise invalid(
            where,
            f"{field_name[:60]!r} knows {', '.join(operators)}, not {operator[:20]!r}",
        )
    if field.kind is FieldKind.NOTHING:
        return "0", []  # Devices of this server have no attributes of their own.
    if operator in ("in", "nin"):
        items = [_value(item, field, field_name, where) for item in value.split(",")]
        negation = "NOT " if operator == "nin" else ""
        return f"{field.column} {negation}IN ({', '.join('?' * len(items))})", items
    return f"{field.column} {_SQL[operator]}", [_value(value, field, field_name, where)]


def _value(text: str, field: FilterField, name: str, where: str) -> object:
    if field.kind is FieldKind.UUID:
        return text.replace("-", "").lower()
    if field.kind is FieldKind.TEXT:
        return text
    time = parse_time(text)
    if time is None:
        raise invalid(where, f"{name} needs a time such as 2016-11-30T16:25:12Z")
    return time
