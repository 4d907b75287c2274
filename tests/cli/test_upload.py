"""``fotabuild upload`` without a service; with one see tests/publish."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from .conftest import Cli

CALL = ("upload", "app.elf", "-v", "1.1.0", "-o", "out")


def test_upload_leaves_the_artifacts_with_an_index(cli: Cli) -> None:
    done = cli.good(*CALL)
    names = [Path(line).name for line in done.stdout.splitlines()]
    assert names[-2:] == ["app-1.1.0.index.json", "app.latest.json"]
    index = json.loads((cli.folder / "out" / "app.latest.json").read_text(encoding="utf-8"))
    assert [file["file"] for file in index["files"]] == names[:-2]
    kinds = {file["kind"]: file.get("from") for file in index["files"]}
    assert kinds["delta"] is None or kinds["delta"] == "1.0.0"
    assert {"image", "delta", "package", "manifest"} <= set(kinds)


def test_upload_copies_to_a_folder(cli: Cli) -> None:
    cli.good(*CALL, "--to", "shelf")
    built, copied = cli.folder / "out", cli.folder / "shelf"
    for path in built.iterdir():
        assert (copied / path.name).read_bytes() == path.read_bytes()
    again = cli.good(*CALL, "--to", "shelf", "--built")
    assert "copied: " not in again.stderr
    assert "already there: " in again.stderr


def test_upload_takes_the_storage_of_the_configuration(cli: Cli) -> None:
    with open(cli.folder / "fotabuild.yaml", "a", encoding="utf-8") as file:
        file.write("publish: {storage: shelf}\n")
    assert f"{cli.folder / 'shelf'}" in cli.good(*CALL).stdout


def test_upload_without_being_built(cli: Cli) -> None:
    done = cli(*CALL, "--built")
    assert done.status == 1
    assert "cannot read the image" in done.stderr


@pytest.mark.parametrize("built", [True, False])
def test_upload_without_a_delta_that_is_not_worth_it(built: bool, cli: Cli) -> None:
    """It is left out as in every build, with its manifest, and so is what an earlier one left."""
    small = ("--set", "delta.threshold=5")
    cli.good("build", *CALL[1:])
    if built:
        cli.good("build", *CALL[1:], *small)
    cli.good(*CALL, *small, "--to", "shelf", *(["--built"] if built else []))
    names = {path.name for path in (cli.folder / "shelf").iterdir()}
    assert "app-1.1.0.manifest" in names
    assert not {name for name in names if "-to-" in name}


@pytest.mark.parametrize("built", [True, False])
def test_the_result_says_what_was_left_out(built: bool, cli: Cli) -> None:
    small = ("--set", "delta.threshold=5")
    if built:
        cli.good("build", *CALL[1:], *small)
    done = cli.good("--json", *CALL, *small, "--to", "shelf", *(["--built"] if built else []))
    [note] = json.loads(done.stdout.splitlines()[-1])["notes"]
    assert note.startswith("no delta app-1.0.0-to-1.1.0.patch, the full image is sent: ")
    assert done.stderr.count(f"note: {note}\n") == 1


def test_what_was_built_keeps_its_date(cli: Cli) -> None:
    """Build systems upload into the folder that they build in, and look at dates."""
    cli.good("build", *CALL[1:])
    before = {path: path.stat().st_mtime_ns for path in (cli.folder / "out").iterdir()}
    (cli.folder / "out" / "app-1.0.0-to-1.1.0.manifest").unlink()
    cli.good(*CALL, "--to", "shelf")
    after = {path: path.stat().st_mtime_ns for path in (cli.folder / "out").iterdir()}
    assert after.keys() == before.keys()
    changed = [path.name for path in after if after[path] != before[path]]
    assert changed == ["app-1.0.0-to-1.1.0.manifest"]


def test_upload_of_what_was_built_needs_no_key(cli: Cli) -> None:
    cli.good("build", *CALL[1:])
    config = cli.folder / "fotabuild.yaml"
    config.write_text(config.read_text().replace("  key: keys/update.key.pem\n", ""))
    cli.good(*CALL, "--to", "shelf", "--built")
    manifest = cli.folder / "shelf" / "app-1.0.0-to-1.1.0.manifest"
    assert manifest.exists()
    (cli.folder / "out" / manifest.name).unlink()
    assert cli(*CALL, "--to", "shelf", "--built").status == 1


def test_upload_needs_one_place(cli: Cli) -> None:
    setting = ("--set", "publish.service=https://a.b", "--set", "publish.storage=x")
    done = cli(*CALL, *setting)
    assert done.status == 2
    assert "say which with --to" in done.stderr


def test_upload_needs_an_image_or_a_run(cli: Cli) -> None:
    assert "image and --fw-version are needed" in cli("upload").stderr
    done = cli("upload", "--resume", "--set", "publish.journal=none")
    assert done.status == 1
    assert "there is no upload to go on with" in done.stderr
