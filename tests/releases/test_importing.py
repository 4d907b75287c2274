"""Releases from a folder and a CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.errors import FileError, ImportListError
from fotabuild.releases.importing import read_import

from .samples import DATE, image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for number in (1, 2):
        (tmp_path / f"fw{number}.bin").write_bytes(image(number))
    (tmp_path / "a.manifest").write_bytes(b"m")
    return tmp_path


def write(folder: Path, text: str) -> Path:
    table = folder / "list.csv"
    table.write_text(text, encoding="utf-8")
    return table


def test_all_columns(folder: Path) -> None:
    table = write(
        folder,
        "version,image,component,date,manifest,elf,retired,commit\n"
        "1.0.0,fw1.bin,BOOT,2025-05-05,a.manifest,a.manifest,2026-01-01,1a2b\n"
        "1.1.0,fw2.bin,,,,,,\n",
    )
    (first, retired), (second, in_field) = read_import(table, folder, "MAIN", DATE)
    assert (first.component, first.image, first.manifest, first.elf) == (
        "BOOT", image(1), b"m", b"m",
    )  # fmt: skip
    assert (first.date, first.origin, retired) == ("2025-05-05", {"commit": "1a2b"}, "2026-01-01")
    assert (second.component, second.date, second.origin) == ("MAIN", DATE, {})
    assert (second.image, in_field) == (image(2), None)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("version\n1.0.0\n", "no column 'image'"),
        ("version,image\n1.0.0,\n", "list.csv:2: image: this value is missing"),
        ("version,image\n1.0,fw1.bin\n", "list.csv:2: version"),
        (
            "version,image\n1.0.0,fw1.bin\n1.0.0,fw2.bin\n",
            "list.csv:3: MAIN 1.0.0 stands in line 2",
        ),
    ],
)
def test_bad_lines(folder: Path, text: str, problem: str) -> None:
    with pytest.raises(ImportListError) as caught:
        read_import(write(folder, text), folder, "MAIN", DATE)
    assert problem in str(caught.value)
    assert "list.csv" in str(caught.value)


def test_a_missing_image(folder: Path) -> None:
    table = write(folder, "version,image\n1.0.0,fw1.bin\n1.1.0,gone.bin\n")
    with pytest.raises(FileError, match=r"image in line 3"):
        read_import(table, folder, "MAIN", DATE)
