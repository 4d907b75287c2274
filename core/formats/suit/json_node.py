"""Typed access to a JSON text; what is wrong is refused with the path to it."""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import NoReturn

from fotabuild.errors import SuitInputError
from fotabuild.limits import READ_LIMITS

_MISSING = object()
_UINT_MAX = 2**64 - 1


@dataclass(frozen=True)
class Node:
    """A value with the path to it, such as ``components[0].install-id``."""

    value: object
    path: str
    warnings: list[str] = field(compare=False)

    def fail(self, problem: str, remedy: str | None = None) -> NoReturn:
        """Refuse this value."""
        raise SuitInputError(problem, field=self.path or None, remedy=remedy)

    def warn(self, problem: str) -> None:
        """Accept this value, and say what may not be meant so."""
        self.warnings.append(f"{self.path}: {problem}" if self.path else problem)

    def get(self, key: str) -> Node | None:
        """Return the value under a key, or None when the key is missing."""
        value = self._map().get(key, _MISSING)
        path = f"{self.path}.{key}" if self.path else key
        return None if value is _MISSING else Node(value, path, self.warnings)

    def need(self, key: str) -> Node:
        """Return the value under a key that must be there."""
        node = self.get(key)
        if node is None:
            self.fail(f"the key '{key}' is missing")
        return node

    def keys(self) -> tuple[str, ...]:
        """Return the keys of a map."""
        return tuple(self._map())

    def only(self, known: Iterable[str], *, allow_unknown: bool = False) -> None:
        """Refuse keys that nobody reads, or warn about them."""
        names = list(known)
        for key in self.keys():
            if key in names:
                continue
            close = difflib.get_close_matches(key, names, 1)
            problem = f"unknown key '{key[:60]}'"
            remedy = f"did you mean '{close[0]}'?" if close else None
            if not allow_unknown:
                self.fail(problem, remedy)
            self.warn(f"{problem} is ignored" + (f"; {remedy}" if remedy else ""))

    def _map(self) -> dict[str, object]:
        if not isinstance(self.value, dict):
            self.fail(f"expected a map, found {_kind(self.value)}")
        return self.value

    def list(self, limit: int) -> tuple[Node, ...]:
        """Return the elements of a list with at most ``limit`` of them."""
        if not isinstance(self.value, list):
            self.fail(f"expected a list, found {_kind(self.value)}")
        if len(self.value) > limit:
            self.fail(f"{len(self.value)} entries; at most {limit} are read")
        return tuple(
            Node(value, f"{self.path}[{place}]", self.warnings)
            for place, value in enumerate(self.value)
        )

    def text(self) -> str:
        """Return a text."""
        if not isinstance(self.value, str):
            self.fail(f"expected a text, found {_kind(self.value)}")
        if any("\ud800" <= c <= "\udfff" for c in self.value):
            self.fail("not Unicode text")
        return self.value

    def flag(self) -> bool:
        """Return true or false."""
        if not isinstance(self.value, bool):
            self.fail(f"expected true or false, found {_kind(self.value)}")
        return self.value

    def integer(self) -> int:
        """Return a whole number."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            self.fail(f"expected a whole number, found {_kind(self.value)}")
        return self.value

    def unsigned(self) -> int:
        """Return a number from 0 to 2^64 - 1."""
        value = self.integer()
        if not 0 <= value <= _UINT_MAX:
            self.fail(f"{str(value)[:40]} is not between 0 and {_UINT_MAX}")
        return value


def _kind(value: object) -> str:
    names = {dict: "a map", list: "a list", str: "a text", bool: "true or false", int: "a number"}
    return "null" if value is None else names.get(type(value), "a number with a fraction")


def parse_json(data: bytes) -> Node:
    """Read a JSON text; every key stands once.

    Raises:
        SuitInputError: no JSON, too large or nested too deep, or a key that is there twice.
    """
    if len(data) > READ_LIMITS.suit_description:
        raise SuitInputError(
            f"a description of {len(data)} bytes; at most {READ_LIMITS.suit_description} are read"
        )
    try:
        value = json.loads(data.decode("utf-8-sig"), object_pairs_hook=_unique)
    except UnicodeDecodeError as error:
        raise SuitInputError("not UTF-8", offset=error.start) from None
    except json.JSONDecodeError as error:
        raise SuitInputError(f"not JSON: {error.msg}", line=error.lineno) from None
    except (RecursionError, ValueError) as error:
        # The interpreter refuses numbers of thousands of digits with a ValueError.
        problem = "nested too deep" if isinstance(error, RecursionError) else "number too long"
        raise SuitInputError(problem) from None
    return Node(value, "", [])


def _unique(pairs: list[tuple[str, object]]) -> dict[str, object]:
    values: dict[str, object] = {}
    for key, value in pairs:
        if key in values:
            raise SuitInputError("this key is there twice in one map", field=key)
        values[key] = value
    return values
