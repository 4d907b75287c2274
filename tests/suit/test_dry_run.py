"""``create --dry-run`` refuses what the real run refuses, in the same words, and writes nothing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from fotabuild.cli.main import main

from .golden import P256, SUIT, manifest


@pytest.fixture(autouse=True)
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    Path("payloads").mkdir()
    Path("payloads/app.bin").write_bytes((SUIT / "payloads/app.bin").read_bytes())
    Path("in.json").write_text(json.dumps(manifest()), encoding="utf-8")
    return tmp_path


def tree() -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in Path().rglob("*") if path.is_file()}


def key(name: str) -> None:
    Path(name).write_bytes(P256.read_bytes())


OUTPUTS: dict[str, tuple[str, Callable[[], object]]] = {
    "the input": ("in.json", lambda: None),
    "a payload": ("payloads/app.bin", lambda: None),
    "a payload under another name": ("link", lambda: os.link("payloads/app.bin", "link")),
    "a private key": ("key.pem", lambda: key("key.pem")),
    "a folder": ("payloads", lambda: None),
    "in a file": ("in.json/a.suit", lambda: None),
    "deep in a file": ("in.json/a/b/a.suit", lambda: None),
    "a name that is too long": ("a" * 300, lambda: None),
    "no name": ("a\0b", lambda: None),
}


@pytest.mark.parametrize("name", OUTPUTS)
def test_the_same_outputs_are_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    output, prepare = OUTPUTS[name]
    prepare()
    before = tree()
    command = ["suit", "create", "-i", "in.json", "-o", output]
    said = []
    for extra in ([], ["--dry-run"]):
        assert main([*command, *extra]) == 1
        captured = capsys.readouterr()
        assert captured.out == ""
        said.append(captured.err)
    assert said[0] == said[1]
    assert tree() == before


def test_a_folder_that_cannot_be_written_is_refused(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """For root every folder can be written, so that the system's answer is played here."""
    monkeypatch.setattr(os, "access", lambda path, _mode: Path(path).name != "payloads")
    command = ["suit", "create", "-i", "in.json", "--dry-run", "-o"]
    assert main([*command, "payloads/new/a.suit"]) == 1
    assert "payloads/new/a.suit: cannot write: Permission denied" in capsys.readouterr().err
    assert main([*command, "a.suit"]) == 0


def test_nothing_is_written(capsys: pytest.CaptureFixture[str]) -> None:
    before = tree()
    for output in ("a.suit", "new/folder/a.suit", "-"):
        assert main(["suit", "create", "-i", "in.json", "-o", output, "--dry-run"]) == 0
        captured = capsys.readouterr()
        assert captured.out == ("" if output == "-" else f"{output}\n")
        assert f"would make suit:{Path(output).name}" in captured.err
    assert tree() == before
    assert not Path("new").exists()
