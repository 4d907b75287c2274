"""CSV files about releases: a line of names, then values."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from fotabuild.errors import ImportListError, VersionError
from fotabuild.formats.firmware_version import FirmwareVersion
from fotabuild.limits import READ_LIMITS


@dataclass(frozen=True)
class Row:
    """A line of a table.

    Attributes:
        line: its number in the file.
        values: its values by column; empty ones are left out.
        columns: all columns of the table.
    """

    line: int
    values: Mapping[str, str]
    columns: Sequence[str] = ()

    def text(self, column: str) -> str:
        """Return a value that must be there."""
        if column not in self.values:
            raise ImportListError("this value is missing", field=column, line=self.line)
        return self.values[column]

    def version(self, column: str) -> FirmwareVersion:
        """Return a version that must be there."""
        try:
            return FirmwareVersion.parse(self.text(column))
        except VersionError as error:
            raise ImportListError(
                error.problem, field=column, line=self.line, remedy=error.remedy
            ) from None

    def number(self, column: str) -> float:
        """Return a number from 0 that must be there; a per cent sign may follow."""
        text = self.text(column).removesuffix("%").strip()
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not 0 <= number < 1e15:
            raise ImportListError(f"{text[:40]!r} is not a number", field=column, line=self.line)
        return number


def read_table(data: bytes, required: Sequence[str]) -> list[Row]:
    """Read a CSV in UTF-8, with commas or semicolons between the values.

    Args:
        data: the file.
        required: columns that must be there.

    Raises:
        ImportListError: it cannot be read, or has too many lines.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ImportListError("not UTF-8 text", offset=error.start) from None
    head = text.partition("\n")[0]
    reader = csv.reader(
        io.StringIO(text, newline=""),
        delimiter=";" if ";" in head and "," not in head else ",",
        strict=True,
    )
    rows: list[Row] = []
    try:
        names = [name.strip().lower() for name in next(reader, [])]
        _check_names(names, required)
        for values in reader:
            if not any(value.strip() for value in values):
                continue
            if len(values) != len(names):
                raise ImportListError(
                    f"{len(values)} values under {len(names)} names", line=reader.line_num
                )
            if len(rows) >= READ_LIMITS.releases:
                raise ImportListError(f"more than {READ_LIMITS.releases} lines")
            pairs = zip(names, (value.strip() for value in values), strict=True)
            given = {name: value for name, value in pairs if value}
            rows.append(Row(reader.line_num, given, names))
    except csv.Error as error:
        raise ImportListError(f"not a CSV: {error}", line=reader.line_num) from None
    return rows


def _check_names(names: list[str], required: Sequence[str]) -> None:
    missing = [name for name in required if name not in names]
    if missing:
        raise ImportListError(
            f"there is no column {missing[0]!r}",
            line=1,
            remedy=f"the first line names the columns; needed: {', '.join(required)}",
        )
    twice = next((name for name in names if names.count(name) > 1), None)
    if twice is not None or "" in names:
        raise ImportListError(f"column {twice or ''!r} stands twice or has no name", line=1)
