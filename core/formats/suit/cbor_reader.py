"""A strict reader of deterministic CBOR that knows where every item stands.

Libraries read what is valid CBOR. A signed manifest must have one encoding only, so that everything
else is refused, with the byte offset: lengths that are not minimal or indefinite, keys that are
double or out of order, floating-point numbers, bytes behind the end (RFC 8949, section 4.2.1).
"""

from __future__ import annotations

import enum
import itertools
from dataclasses import dataclass

from fotabuild.errors import CborError
from fotabuild.limits import READ_LIMITS


class Kind(enum.Enum):
    """Types of items, as messages name them."""

    UNSIGNED = "an unsigned number"
    NEGATIVE = "a negative number"
    BYTES = "a byte string"
    TEXT = "a text"
    ARRAY = "an array"
    MAP = "a map"
    TAG = "a tag"
    SIMPLE = "true, false or null"


_KINDS = tuple(Kind)
_SIMPLE = {20: False, 21: True, 22: None}
_FIRST_LONG = 24
_LAST_LONG = 27
_INDEFINITE = 31


@dataclass(frozen=True, slots=True)
class Item:
    """One item.

    Attributes:
        kind: its type.
        start: offset of its first byte.
        body: offset behind its head; the content of strings starts here.
        end: offset behind its last byte.
        value: the number, text, or true, false, None; of bytes a view of the file, as each level of
            embedded items would otherwise be a copy of all levels below it.
        items: elements of an array; keys and values of a map in turn; the content of a tag, whose
            number is in ``value``.
    """

    kind: Kind
    start: int
    body: int
    end: int
    value: int | memoryview | str | bool | None = None
    items: tuple[Item, ...] = ()


class Reader:
    """Reads items from one file, and what is embedded in their byte strings.

    Args:
        data: the file.
        depth_limit: nesting, embedded items included.
        item_limit: number of items.
        text_limit: bytes of all texts, which may take four times their size in memory.
    """

    def __init__(
        self,
        data: bytes,
        depth_limit: int = READ_LIMITS.cbor_depth,
        item_limit: int = READ_LIMITS.cbor_items,
        text_limit: int = READ_LIMITS.cbor_text,
    ) -> None:
        self.data = memoryview(data)
        self._depth_limit = depth_limit
        self._items_left = item_limit
        self._text_left = text_limit
        self._depths: dict[int, int] = {}

    def read_all(self) -> Item:
        """Read the one item of the file.

        Raises:
            CborError: it is no deterministic CBOR, a limit is exceeded, or bytes follow.
        """
        return self._only(0, len(self.data), 0)

    def embedded(self, item: Item) -> Item:
        """Read the one item in a byte string; offsets remain those of the file.

        Raises:
            CborError: as :meth:`read_all`.
        """
        if item.kind is not Kind.BYTES:
            raise CborError(f"expected a byte string, found {item.kind.value}", offset=item.start)
        return self._only(item.body, item.end, self._depths[item.start] + 1)

    def _only(self, start: int, end: int, depth: int) -> Item:
        item = self._item(start, end, depth)
        if item.end != end:
            raise CborError(f"{end - item.end} bytes follow the end of the item", offset=item.end)
        return item

    def _item(self, start: int, end: int, depth: int) -> Item:
        if depth > self._depth_limit:
            raise CborError(f"nested deeper than {self._depth_limit} levels", offset=start)
        if self._items_left <= 0:
            raise CborError("more items than any manifest has", offset=start)
        self._items_left -= 1
        major, number, body = self._head(start, end)
        kind = _KINDS[major]
        if kind in (Kind.BYTES, Kind.TEXT):
            self._depths[start] = depth
            value = self._string(kind, start, body, number, end)
            return Item(kind, start, body, body + number, value)
        if kind in (Kind.ARRAY, Kind.MAP):
            items = self._items(kind, start, body, end, depth + 1, number)
            return Item(kind, start, body, items[-1].end if items else body, items=items)
        if kind is Kind.TAG:
            content = self._item(body, end, depth + 1)
            return Item(kind, start, body, content.end, number, (content,))
        if kind is Kind.SIMPLE:
            return Item(kind, start, body, body, _SIMPLE[number])
        return Item(kind, start, body, body, -1 - number if kind is Kind.NEGATIVE else number)

    def _items(
        self, kind: Kind, start: int, body: int, end: int, depth: int, number: int
    ) -> tuple[Item, ...]:
        count = number * 2 if kind is Kind.MAP else number
        if count > end - body:
            raise CborError(
                f"{kind.value} of {number} entries where {end - body} bytes are left", offset=start
            )
        items: list[Item] = []
        for _ in range(count):
            items.append(self._item(body, end, depth))
            body = items[-1].end
        if kind is Kind.MAP:
            self._check_keys(items[::2])
        return tuple(items)

    def _head(self, start: int, end: int) -> tuple[int, int, int]:
        """Return major type, argument, and the offset behind them."""
        if start >= end:
            raise CborError("the data ends where an item is expected", offset=start)
        major, number = self.data[start] >> 5, self.data[start] & 31
        body = start + 1
        if number == _INDEFINITE:
            raise CborError("indefinite length, or a break without one", offset=start)
        if number > _LAST_LONG:
            raise CborError("reserved first byte", offset=start)
        if major == _KINDS.index(Kind.SIMPLE):
            if number not in _SIMPLE:
                raise CborError(
                    "floating-point number, or a simple value other than true, false and null",
                    offset=start,
                )
            return major, number, body
        if number >= _FIRST_LONG:
            size = 1 << (number - _FIRST_LONG)
            if size > end - body:
                raise CborError("the data ends within the head of an item", offset=start)
            number = int.from_bytes(self.data[body : body + size], "big")
            if number < (_FIRST_LONG if size == 1 else 1 << (4 * size)):
                raise CborError(f"{number} is not in its shortest form", offset=start)
            body += size
        return major, number, body

    def _string(self, kind: Kind, start: int, body: int, size: int, end: int) -> memoryview | str:
        if size > end - body:
            raise CborError(
                f"{kind.value} of {size} bytes where {end - body} are left", offset=start
            )
        content = self.data[body : body + size]
        if kind is Kind.BYTES:
            return content
        self._text_left -= size
        if self._text_left < 0:
            raise CborError("longer texts than any manifest has", offset=start)
        try:
            return str(content, "utf-8")
        except UnicodeDecodeError as error:
            raise CborError("text that is not UTF-8", offset=body + error.start) from None

    def _check_keys(self, keys: list[Item]) -> None:
        for one, other in itertools.pairwise(keys):
            first, second = (bytes(self.data[key.start : key.end]) for key in (one, other))
            if first == second:
                raise CborError("this key of the map is there twice", offset=other.start)
            if first > second:
                raise CborError("the keys of the map are not in their order", offset=other.start)
