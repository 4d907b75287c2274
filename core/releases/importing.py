"""Releases from a folder of images and a CSV that says what they are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

from fotabuild.errors import ImportListError, ReleaseError, in_file
from fotabuild.files.reading import read_file
from fotabuild.limits import READ_LIMITS
from fotabuild.releases.new_release import NewRelease, ReleaseSource
from fotabuild.releases.release import check_date
from fotabuild.releases.table import Row, read_table

#: Reads a file of a release: its path, and which one it is (``image``, ``manifest`` or ``elf``).
ReadFile = Callable[[Path, str], bytes]
_FILES = ("image", "manifest", "elf")
_KNOWN = ("version", "component", "date", "retired", *_FILES)


def read_content(path: Path, kind: str) -> bytes:
    """Read a file of a release."""
    return read_file(path, READ_LIMITS.image, kind)


def read_import(
    table: Path, folder: Path, component: str, date: str, read: ReadFile = read_content
) -> list[tuple[str, ReleaseSource]]:
    """Return all releases of a CSV with their titles. Their files are read when they are called.

    Columns are ``version`` and ``image``, and if wanted ``component``, ``date``, ``manifest``,
    ``elf`` and ``retired``; every other column is kept as origin.

    Args:
        table: the CSV.
        folder: where the files in it are. Files elsewhere are refused, also by a link: a list
            made by others must not bring just any file of this machine into the store.
        component: component of lines that name none.
        date: date of lines that give none.
        read: reads a file.

    Raises:
        ImportListError: with the line at fault.
        FileError: the CSV cannot be read.
    """
    with in_file(table):
        rows = read_table(
            read_file(table, READ_LIMITS.release_index, "list of releases"), ("version", "image")
        )
        lines: dict[tuple[str, str], int] = {}
        sources = []
        for row in rows:
            key = (row.values.get("component", component), str(row.version("version")))
            if key in lines:
                raise ImportListError(
                    f"{' '.join(key)} stands in line {lines[key]}, too", line=row.line
                )
            lines[key] = row.line
            row.text("image")
            for column in ("date", "retired"):
                if column in row.values:
                    _check_date(row, column)
            files = {column: _path(row, folder, column) for column in _FILES}
            source = _source(row, table, files, component, date, read)
            sources.append((" ".join(key), source))
    return sources


def _source(
    row: Row,
    table: Path,
    files: dict[str, Path | None],
    component: str,
    date: str,
    read: ReadFile,
) -> ReleaseSource:
    def load() -> NewRelease:
        contents = {
            name: read(path, f"{name} in line {row.line}")
            for name, path in files.items()
            if path is not None
        }
        return NewRelease(
            version=row.text("version"),
            component=row.values.get("component", component),
            date=row.values.get("date", date),
            image=contents["image"],
            manifest=contents.get("manifest"),
            elf=contents.get("elf"),
            origin={name: value for name, value in row.values.items() if name not in _KNOWN},
            retired=row.values.get("retired"),
            place=f"{table}:{row.line}",
        )

    return load


def _check_date(row: Row, column: str) -> None:
    try:
        check_date(row.values[column])
    except ReleaseError as error:
        raise ImportListError(
            error.problem, field=column, line=row.line, remedy=error.remedy
        ) from None


def _path(row: Row, folder: Path, column: str) -> Path | None:
    """Return where a file is."""
    if column not in row.values:
        return None
    path = folder / row.values[column]
    try:
        inside = Path(os.path.realpath(path)).is_relative_to(os.path.realpath(folder))
    except (OSError, ValueError):
        inside = False
    if not inside:
        raise ImportListError(
            "this file is not below the folder of the import",
            field=column,
            line=row.line,
            remedy="copy it there, or name its folder with --folder",
        )
    return path
