"""Lists and their pages (device-management-api, section 1.1)."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from fotabuild.server.filters import Condition, Fields, parse_filter, parse_terms
from fotabuild.server.identifiers import is_id
from fotabuild.server.limits import ServerLimits
from fotabuild.server.refusal import Refusal, invalid

_DEFAULT_LIMIT, _SMALLEST_LIMIT = 50, 2
#: The condition that every item meets.
EVERYTHING = Condition("1", ())


@dataclass(frozen=True)
class Page:
    """Which part of a list is asked for.

    Attributes:
        limit: items on the page.
        after: identifier of the last item of the page before, or None.
        descending: newest first.
        total: count all items, too.
        condition: which items.
    """

    limit: int
    after: str | None
    descending: bool
    total: bool
    condition: Condition


def parse_page(query: Iterable[tuple[str, str]], fields: Fields, limits: ServerLimits) -> Page:
    """Read the query of a list.

    Args:
        query: names and values, decoded, in their order.
        fields: what the list can be filtered by.
        limits: bounds on page and filter.

    Raises:
        Refusal: a parameter that cannot be used, or that is there twice.
    """
    known: dict[str, str] = {}
    terms: list[tuple[str, str]] = []
    for name, value in query:
        if name not in ("limit", "after", "order", "include", "filter"):
            terms.append((name, value))
        elif known.setdefault(name, value) != value:
            raise invalid(name, "given twice")
    order = known.get("order", "ASC").upper()
    if order not in ("ASC", "DESC"):
        raise invalid("order", "neither ASC nor DESC")
    after = known.get("after") or None
    if after is not None and not is_id(after):
        raise invalid("after", "not an identifier")
    condition = parse_terms(terms, fields, limits, "filter")
    if "filter" in known:
        other = parse_filter(known["filter"], fields, limits, "filter")
        condition = Condition(
            f"{condition.sql} AND {other.sql}", condition.parameters + other.parameters
        )
    return Page(
        limit=_limit(known.get("limit"), limits),
        after=after,
        descending=order == "DESC",
        total="total_count" in known.get("include", "").split(","),
        condition=condition,
    )


def _limit(text: str | None, limits: ServerLimits) -> int:
    if text is None:
        return _DEFAULT_LIMIT
    if not (text.lstrip("-").isdigit() and text.isascii() and len(text) <= 10):
        raise invalid("limit", "not a number")
    return min(max(int(text), _SMALLEST_LIMIT), limits.page)


def select_page(
    connection: sqlite3.Connection,
    table: str,
    page: Page,
    view: Callable[[sqlite3.Row], Any],
    within: Condition = EVERYTHING,
) -> dict[str, Any]:
    """Return a page of a table as the JSON object of the answer.

    Args:
        connection: the database.
        table: a table, or a join in parentheses, with a column ``id`` that sorts by age.
        page: what is asked for.
        view: makes the object of a row.
        within: the part of the table that the list is about.
    """
    where = f"({within.sql}) AND ({page.condition.sql})"
    parameters = within.parameters + page.condition.parameters
    total = None
    if page.total:
        sql = f"SELECT COUNT(*) FROM {table} WHERE {where}"  # noqa: S608 - our own names only
        total = connection.execute(sql, parameters).fetchone()[0]
    if page.after is not None:
        where += " AND id < ?" if page.descending else " AND id > ?"
        parameters += (page.after,)
    order = "DESC" if page.descending else "ASC"
    sql = f"SELECT * FROM {table} WHERE {where} ORDER BY id {order} LIMIT ?"  # noqa: S608
    rows = connection.execute(sql, (*parameters, page.limit + 1)).fetchall()
    return whole_list(
        [view(row) for row in rows[: page.limit]],
        limit=page.limit,
        after=page.after,
        order=order,
        has_more=len(rows) > page.limit,
        total=total,
    )


def whole_list(
    data: list[Any],
    *,
    limit: int = _DEFAULT_LIMIT,
    after: str | None = None,
    order: str = "ASC",
    has_more: bool = False,
    total: int | None = None,
) -> dict[str, Any]:
    """Return a list as the JSON object of an answer."""
    answer = {
        "object": "list",
        "limit": limit,
        "after": after,
        "order": order,
        "has_more": has_more,
        "data": data,
    }
    if total is not None:
        answer["total_count"] = total
    return answer


def find(connection: sqlite3.Connection, table: str, identifier: str, kind: str) -> sqlite3.Row:
    """Return the row of an identifier.

    Raises:
        Refusal: 404, nothing has it.
    """
    sql = f"SELECT * FROM {table} WHERE id = ?"  # noqa: S608 - our own names only
    row: sqlite3.Row | None = connection.execute(sql, (identifier,)).fetchone()
    if row is None:
        raise Refusal(404, f"there is no {kind} with this identifier")
    return row


def require_room(connection: sqlite3.Connection, table: str, limit: int, kind: str) -> None:
    """Check that one more row is allowed.

    Raises:
        Refusal: 403, the table is full.
    """
    count = connection.execute(f"SELECT COUNT(*) FROM {table}").fetchone()[0]  # noqa: S608
    if count >= limit:
        raise Refusal(403, f"this server keeps {limit} {kind}; delete some, or raise the limit")
