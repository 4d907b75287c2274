"""Whole builds with an external signing tool."""

from __future__ import annotations

from pathlib import Path

import pytest

from fotabuild.cli.main import main
from fotabuild.formats.manifest_v3 import decode_signed
from fotabuild.signing.verify import verify_digest

from ..formats.golden import PUBLIC_KEY
from .scene import write_project
from .tools import make_tool, make_tool_of_another_key

BUILD = ("build", "app.bin", "-v", "1.1.0", "-o", "out")
MANIFESTS = ("app-1.1.0", "app-1.0.0-to-1.1.0", "app-1.1.0.package")


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    write_project(tmp_path, "signing-tool: ./tool\n  key: update/key")
    return tmp_path


def test_all_payloads_with_signed_images(project: Path) -> None:
    log = project / "log"
    make_tool(project / "tool", "logging", log=log)
    assert main(BUILD) == 0
    for name in MANIFESTS:
        signed = decode_signed((project / "out" / f"{name}.manifest").read_bytes())
        manifest = signed.manifest
        verify_digest(PUBLIC_KEY.read_bytes(), manifest.image_digest, manifest.installed_signature)
    # Two signatures for each manifest, and the key's name as it was written.
    assert log.read_text() == "['sha256', 'update/key']\n" * 2 * len(MANIFESTS)


def test_a_patch_alone_cannot_be_signed_without_the_old_image(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make_tool(project / "tool", "good")
    assert main(["delta", "-c", "old.bin", "-n", "app.bin", "-o", "p.patch"]) == 0
    create = ["manifest", "create", "-p", "p.patch", "--format", "arm-patch-stream", "-v", "1.1.0"]
    assert main([*create, "-o", "m"]) == 1
    assert "the new image is not at hand" in capsys.readouterr().err
    assert not (project / "m").exists()
    assert main([*create, "-o", "m", "--current-fw", "old.bin"]) == 0


def test_a_relative_tool_is_found_from_another_folder(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_tool(project / "tool", "good")
    (project / "elsewhere").mkdir()
    monkeypatch.chdir(project / "elsewhere")
    assert main(["build", "../app.bin", "-v", "1.1.0", "-o", "out"]) == 0


@pytest.mark.parametrize("body", ["exit 7", "empty", "garbage", "raw"])
def test_nothing_is_written_when_it_fails(body: str, project: Path) -> None:
    make_tool(project / "tool", body)
    manifest = project / "m"
    manifest.write_bytes(b"a good one of before")
    create = ["manifest", "create", "-p", "app.bin", "--format", "raw-binary", "-v", "1.1.0"]
    assert main([*create, "-o", "m"]) == 1
    assert manifest.read_bytes() == b"a good one of before"


def test_nothing_is_written_when_it_signs_with_another_key(project: Path) -> None:
    make_tool_of_another_key(project / "tool")
    create = ["manifest", "create", "-p", "app.bin", "--format", "raw-binary", "-v", "1.1.0"]
    assert main([*create, "-o", "m"]) == 1
    assert not (project / "m").exists()


def test_the_tool_is_an_input_of_every_manifest(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    import json

    make_tool(project / "tool", "good")
    assert main(["--json", "plan", "app.bin", "-v", "1.1.0", "-o", "out"]) == 0
    steps = json.loads(capsys.readouterr().out)["steps"]
    with_tool = [step["kind"] for step in steps if str(project / "tool") in step["inputs"]]
    assert with_tool == ["manifest"] * len(MANIFESTS)


@pytest.mark.parametrize("output", ["tool", "./tool"])
def test_the_tool_is_not_overwritten(output: str, project: Path) -> None:
    tool = make_tool(project / "tool", "good")
    before = tool.read_bytes()
    create = ["manifest", "create", "-p", "app.bin", "--format", "raw-binary", "-v", "1.1.0"]
    assert main([*create, "-o", output]) == 1
    assert tool.read_bytes() == before
