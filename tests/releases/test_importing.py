"""Releases from a folder and a CSV."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.errors import FileError, ImportListError, ReleaseError
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
    found = read_import(table, folder, "MAIN", DATE)
    assert [title for title, _ in found] == ["BOOT 1.0.0", "MAIN 1.1.0"]
    first, second = (source() for _, source in found)
    assert (first.component, first.image, first.manifest, first.elf) == (
        "BOOT", image(1), b"m", b"m",
    )  # fmt: skip
    assert (first.date, first.origin, first.retired) == (
        "2025-05-05",
        {"commit": "1a2b"},
        "2026-01-01",
    )
    assert (second.component, second.date, second.origin) == ("MAIN", DATE, {})
    assert (second.image, second.retired) == (image(2), None)


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
        ("version,image,date\n1.0.0,fw1.bin,x\n", "list.csv:2: date: 'x' is not a date"),
        ("version,image,retired\n1.0.0,fw1.bin,yes\n", "list.csv:2: retired: 'yes' is not a date"),
    ],
)
def test_bad_lines(folder: Path, text: str, problem: str) -> None:
    with pytest.raises(ImportListError) as caught:
        read_import(write(folder, text), folder, "MAIN", DATE)
    assert problem in str(caught.value)
    assert "list.csv" in str(caught.value)


def test_a_missing_image(folder: Path) -> None:
    table = write(folder, "version,image\n1.0.0,fw1.bin\n1.1.0,gone.bin\n")
    found = read_import(table, folder, "MAIN", DATE)
    with pytest.raises(FileError, match=r"image in line 3"):
        found[1][1]()


def test_files_are_read_when_they_are_needed(folder: Path) -> None:
    table = write(folder, "version,image\n1.0.0,fw1.bin\n")
    [(_, source)] = read_import(table, folder, "MAIN", DATE)
    (folder / "fw1.bin").write_bytes(image(2))
    assert source().image == image(2)


def test_what_a_store_refuses_names_the_line(folder: Path) -> None:
    (folder / "empty.bin").touch()
    table = write(folder, "version,image\n1.0.0,fw1.bin\n1.1.0,empty.bin\n")
    found = read_import(table, folder, "MAIN", DATE)
    with pytest.raises(ReleaseError, match=r"list\.csv:3: image: this image has 0 bytes"):
        found[1][1]().release()


@pytest.mark.parametrize("name", ["../out.bin", "sub/../../out.bin", "link.bin", "folder/out.bin"])
@pytest.mark.parametrize("column", ["image", "manifest", "elf"])
def test_files_elsewhere_are_refused(folder: Path, name: str, column: str) -> None:
    inner = folder / "inner"
    inner.mkdir()
    (folder / "out.bin").write_bytes(b"not for the store")
    (inner / "fw1.bin").write_bytes(image(1))
    (inner / "link.bin").symlink_to(folder / "out.bin")
    (inner / "folder").symlink_to(folder)
    values = {"image": "fw1.bin", "manifest": "", "elf": "", column: name}
    table = write(folder, f"version,{','.join(values)}\n1.0.0,{','.join(values.values())}\n")
    with pytest.raises(ImportListError, match=rf"list\.csv:2: {column}: .* not below the folder"):
        read_import(table, inner, "MAIN", DATE)
    values[column] = str(inner / "fw1.bin")  # An absolute name inside is fine.
    table = write(folder, f"version,{','.join(values)}\n1.0.0,{','.join(values.values())}\n")
    assert len(read_import(table, inner, "MAIN", DATE)) == 1
