"""What changed, by section and symbol: the report asks the room of explanations."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from fotabuild.delta.encoder import make_patch
from fotabuild.errors import ElfError
from fotabuild.report.changes import explain_updates
from fotabuild.report.folder import read_folder
from fotabuild.report.model import Download, Schema, Update
from fotabuild.report.page import make_page

from ..explain.scene import NEW, NEW_ELF, OLD, OLD_ELF
from .html_reader import Page
from .scene import Built
from .test_report import report_of

UPDATE = Update(
    manifest="a.manifest", schema=Schema.V3, manifest_size=300, version="1.1.0", since="1.0.0",
    downloads=(Download(url="https://acme.com/a", file="a.patch"),),
    payload_format="arm-patch-stream", payload_size=1,
    image_size=len(NEW), saving=50.0, memory=1024, seconds=1.0, signature="passed",
    image_signed=False, accepted=True,
)  # fmt: skip


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "update").mkdir()
    (tmp_path / "update" / "a.patch").write_bytes(make_patch(OLD, NEW).data)
    (tmp_path / "new.elf").write_bytes(NEW_ELF)
    (tmp_path / "old.elf").write_bytes(OLD_ELF)
    return tmp_path


def test_costs_stand_by_section_and_symbol(folder: Path) -> None:
    updates = [UPDATE, msgspec.structs.replace(UPDATE, schema=Schema.V1)]
    (change,) = explain_updates(
        updates, read_folder(folder / "update"), folder / "new.elf", {"1.0.0": folder / "old.elf"}
    )
    assert change.since == "1.0.0"
    assert change.values["patch-size"] == (folder / "update" / "a.patch").stat().st_size
    assert [section["name"] for section in change.values["sections"]][:1] == [".text"]
    parts = {part["name"]: part for part in change.values["parts"]}
    assert parts["added"]["note"] == "new"
    assert len(change.pictures) == 2


def test_the_page_shows_the_pictures_and_the_json_the_numbers(
    folder: Path, pristine: Built
) -> None:
    changes = explain_updates([UPDATE], read_folder(folder / "update"), folder / "new.elf", {})
    report = msgspec.structs.replace(report_of(pristine), changes=changes)
    page = Page(make_page(report).decode())
    assert page.open == []
    assert "What changed" in page.text
    assert len(page.of("figure")) == 2
    assert page.references == []
    values = json.loads(report.encode())
    assert values["changes"][0]["values"]["parts"]
    assert "pictures" not in values["changes"][0]


def test_a_damaged_elf_file_is_refused_by_name(folder: Path) -> None:
    (folder / "new.elf").write_bytes(NEW_ELF[:100])
    with pytest.raises(ElfError, match=r"new\.elf"):
        explain_updates([UPDATE], read_folder(folder / "update"), folder / "new.elf", {})
