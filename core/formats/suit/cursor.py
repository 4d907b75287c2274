"""Typed access to CBOR items; a wrong type is refused with its offset and the path to it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NoReturn

from fotabuild.errors import CborError, SuitError
from fotabuild.formats.suit.cbor_reader import Item, Kind, Reader


@dataclass
class Notes:
    """What the decoder learnt about items, for people; keys are offsets of items.

    Attributes:
        names: what an item is.
        embedded: the item inside a byte string.
    """

    names: dict[int, str] = field(default_factory=dict)
    embedded: dict[int, Item] = field(default_factory=dict)


@dataclass(frozen=True)
class Cursor:
    """An item with the path to it.

    Attributes:
        reader: reads what is embedded in byte strings.
        notes: collects names.
        item: the item.
        path: where it is, such as ``manifest.install``.
    """

    reader: Reader
    notes: Notes
    item: Item
    path: str

    def fail(self, problem: str, remedy: str | None = None) -> NoReturn:
        """Refuse this item."""
        raise SuitError(problem, field=self.path or None, offset=self.item.start, remedy=remedy)

    def name(self, name: str) -> None:
        """Note what this item is."""
        self.notes.names.setdefault(self.item.start, name)

    def at(self, item: Item, step: str) -> Cursor:
        """Return a cursor at an item inside this one."""
        path = step if not self.path else self.path + (step if step[0] == "[" else f".{step}")
        return Cursor(self.reader, self.notes, item, path)

    def _expect(self, *kinds: Kind) -> None:
        if self.item.kind not in kinds:
            self.fail(f"expected {kinds[0].value}, found {self.item.kind.value}")

    def unsigned(self) -> int:
        """Return a number that is not negative."""
        self._expect(Kind.UNSIGNED)
        return self.integer()

    def integer(self) -> int:
        """Return a number."""
        self._expect(Kind.UNSIGNED, Kind.NEGATIVE)
        assert isinstance(self.item.value, int)
        return self.item.value

    def text(self) -> str:
        """Return a text."""
        self._expect(Kind.TEXT)
        assert isinstance(self.item.value, str)
        return self.item.value

    def byte_string(self, size: int | None = None) -> bytes:
        """Return a byte string, of ``size`` bytes if given."""
        self._expect(Kind.BYTES)
        assert isinstance(self.item.value, memoryview)
        if size is not None and len(self.item.value) != size:
            self.fail(f"expected {size} bytes, found {len(self.item.value)}")
        return bytes(self.item.value)

    def scalar(self) -> int | bytes | str | bool | None:
        """Return the value of an item that is no array, map or tag."""
        value = self.item.value
        return bytes(value) if isinstance(value, memoryview) else value

    def boolean(self) -> bool:
        """Return true or false."""
        if not isinstance(self.item.value, bool):
            self.fail(f"expected true or false, found {self.item.kind.value}")
        return self.item.value

    @property
    def is_null(self) -> bool:
        """Whether the item is null."""
        return self.item.kind is Kind.SIMPLE and self.item.value is None

    def elements(self) -> list[Cursor]:
        """Return cursors at the elements of an array."""
        self._expect(Kind.ARRAY)
        return [self.at(item, f"[{place}]") for place, item in enumerate(self.item.items)]

    def entries(self) -> Iterator[tuple[Cursor, Cursor]]:
        """Yield cursors at the keys and values of a map; name the path of the values yourself."""
        self._expect(Kind.MAP)
        items = self.item.items
        for key, value in zip(items[::2], items[1::2], strict=True):
            yield self.at(key, "key"), self.at(value, "value")

    def embedded(self) -> Cursor:
        """Return a cursor at the item in a byte string."""
        self._expect(Kind.BYTES)
        try:
            item = self.reader.embedded(self.item)
        except CborError as error:
            error.field = self.path or None
            raise
        self.notes.embedded[self.item.start] = item
        return Cursor(self.reader, self.notes, item, self.path)

    def raw(self) -> memoryview:
        """Return the encoded item, head included, as a view of the file."""
        return self.reader.data[self.item.start : self.item.end]
