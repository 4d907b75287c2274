"""Releases from a folder of images and a CSV that says what they are."""

from __future__ import annotations

from pathlib import Path

from fotabuild.errors import ImportListError, in_file
from fotabuild.files import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.store import NewRelease
from fotabuild.releases.table import Row, read_table

_KNOWN = ("version", "image", "component", "date", "manifest", "elf", "retired")


def read_import(
    table: Path, folder: Path, component: str, date: str
) -> list[tuple[NewRelease, str | None]]:
    """Return all releases of a CSV, each with the date since when it is retired.

    Columns are ``version`` and ``image``, and if wanted ``component``, ``date``, ``manifest``,
    ``elf`` and ``retired``; every other column is kept as origin. Everything is read before
    anything can be added, so that a mistake in the last line leaves no half of an import.

    Args:
        table: the CSV.
        folder: where the files in it are.
        component: component of lines that name none.
        date: date of lines that give none.

    Raises:
        ImportListError: with the line at fault.
        FileError: the CSV cannot be read.
    """
    found = []
    with in_file(table):
        rows = read_table(
            read_file(table, READ_LIMITS.release_index, "list of releases"), ("version", "image")
        )
        lines: dict[tuple[str, str], int] = {}
        for row in rows:
            key = (row.values.get("component", component), str(row.version("version")))
            if key in lines:
                raise ImportListError(
                    f"{' '.join(key)} stands in line {lines[key]}, too", line=row.line
                )
            lines[key] = row.line
    for row in rows:
        new = NewRelease(
            version=row.text("version"),
            component=row.values.get("component", component),
            date=row.values.get("date", date),
            image=_file(row, folder, "image", table) or b"",
            manifest=_file(row, folder, "manifest", table),
            elf=_file(row, folder, "elf", table),
            origin={name: value for name, value in row.values.items() if name not in _KNOWN},
        )
        found.append((new, row.values.get("retired")))
    return found


def _file(row: Row, folder: Path, column: str, table: Path) -> bytes | None:
    if column not in row.values:
        if column == "image":
            with in_file(table):
                row.text(column)
        return None
    return read_file(folder / row.values[column], READ_LIMITS.image, f"{column} in line {row.line}")
