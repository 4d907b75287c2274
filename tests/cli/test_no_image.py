"""A patch or a manifest is never taken for the image of a release, which nobody could take back."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from .conftest import Cli

STORE = ("--store", "field")


@pytest.fixture
def mistaken(cli: Cli) -> Cli:
    """A project with files that look like images by their names."""
    cli.good("delta", "-c", "old.bin", "-n", "app.bin", "-o", "out/patch.bin")
    cli.good("delta", "-c", "old.bin", "-n", "app.bin", "-o", "out/app.patch")
    for name in ("manifest", "suit"):
        shutil.copy(cli.folder / f"a.{name}", cli.folder / "out" / f"{name}.bin")
    return cli


KINDS = {"patch": "a patch", "manifest": "a manifest", "suit": "a manifest"}


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
def test_a_store_refuses_it(name: str, kind: str, mistaken: Cli) -> None:
    done = mistaken("release", "add", f"out/{name}.bin", "-v", "1.1.0", *STORE)
    problem = f"{name}.bin is {kind}: add the flat image that devices have [FB0100]"
    assert (done.status, problem in done.stderr) == (2, True), done.stderr
    table = mistaken.folder / "releases.csv"
    table.write_text(f"version,image\n1.0.5,old.bin\n1.0.6,out/{name}.bin\n")
    done = mistaken("release", "import", "releases.csv", *STORE)
    assert (done.status, problem in done.stderr) == (2, True), done.stderr
    assert not (mistaken.folder / "field").exists()


@pytest.mark.parametrize(("name", "kind"), KINDS.items())
@pytest.mark.parametrize("side", ["-c", "-n"])
def test_a_delta_refuses_it(side: str, name: str, kind: str, mistaken: Cli) -> None:
    images = {"-c": "old.bin", "-n": "app.bin", side: f"out/{name}.bin"}
    done = mistaken("delta", *(word for pair in images.items() for word in pair), "-o", "x.patch")
    assert done.status == 1
    assert f"{name}.bin: this is {kind}, a delta is between images as" in done.stderr
    assert not (mistaken.folder / "x.patch").exists()


def test_a_build_refuses_it(mistaken: Cli) -> None:
    shutil.copy(mistaken.folder / "out" / "patch.bin", mistaken.folder / "old.bin")
    done = mistaken("build", "app.bin", "-v", "1.1.0", "-o", "update")
    assert done.status == 1
    assert "old.bin: this is a patch, a delta is between images as" in done.stderr


@pytest.mark.parametrize("side", ["--old", "--new"])
def test_a_matrix_refuses_it(side: str, mistaken: Cli) -> None:
    images = {"--old": "old.bin", "--new": "app.bin", side: "out/patch.bin"}
    done = mistaken("matrix", *(word for pair in images.items() for word in pair), "-o", "x")
    assert done.status == 1
    assert "this is a patch, a delta is between images as" in done.stderr


def test_a_matrix_leaves_patches_in_folders_alone(mistaken: Cli) -> None:
    folder = mistaken.folder / "folder"
    folder.mkdir()
    for name in ("old.bin", "out/app.patch", "out/app.yaml"):
        shutil.copy(mistaken.folder / name, folder)
    done = mistaken.good("matrix", "--old", "folder", "--new", "app.bin", "-o", "x")
    assert [Path(line).name for line in done.stdout.splitlines()] == [
        "old-to-app.patch",
        "old-to-app.yaml",
    ]


@pytest.mark.parametrize("side", ["--old", "--new"])
def test_a_store_is_no_folder_of_images(side: str, cli: Cli) -> None:
    cli.good("release", "add", "old.bin", "-v", "1.0.0", *STORE)
    images = {"--old": "old.bin", "--new": "app.bin", side: "field"}
    done = cli("matrix", *(word for pair in images.items() for word in pair), "-o", "x")
    assert (done.status, done.stdout) == (2, "")
    assert "field is a release store: with releases.store in fotabuild.yaml" in done.stderr
