"""``fotabuild delta``: effort, time limit, linked files, and the explanation."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fotabuild.config.yaml_reader import read_yaml
from fotabuild.delta.decoder import apply_patch_python
from fotabuild.delta.encoder import engine
from fotabuild.formats.patch_sidecar import PatchSidecar

from ..explain import scene
from .conftest import Cli

OPTIONS = ("-c", "1.bin", "-n", "2.bin", "-o", "d.patch")
ELVES = ("--old-elf", "1.elf", "--new-elf", "2.elf")


@pytest.fixture
def linked(cli: Cli) -> Cli:
    """A folder with two linked images."""
    for name, data in {
        "1.bin": scene.OLD,
        "2.bin": scene.NEW,
        "1.elf": scene.OLD_ELF,
        "2.elf": scene.NEW_ELF,
    }.items():
        (cli.folder / name).write_bytes(data)
    return cli


def sidecar(folder: Path) -> PatchSidecar:
    return PatchSidecar.from_values(read_yaml((folder / "d.yaml").read_bytes()).values)


@pytest.mark.parametrize("effort", ["fast", "balanced", "best", "max"])
def test_effort_is_in_the_side_file(effort: str, linked: Cli) -> None:
    linked.good("delta", *OPTIONS, "--effort", effort)
    found = sidecar(linked.folder)
    assert (found.effort, found.engine, found.complete) == (effort, engine(), True)
    patch = (linked.folder / "d.patch").read_bytes()
    assert apply_patch_python(scene.OLD, patch) == scene.NEW


def contents(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.glob("d.*")}


def test_balanced_is_the_default(linked: Cli) -> None:
    linked.good("delta", *OPTIONS)
    assert sidecar(linked.folder).effort == "balanced"


def test_time_limit_that_is_not_reached_changes_nothing(linked: Cli) -> None:
    linked.good("delta", *OPTIONS)
    before = contents(linked.folder)
    linked.good("delta", *OPTIONS, "--time-limit", "600")
    assert contents(linked.folder) == before


@pytest.mark.parametrize(
    "wrong",
    [
        ("--effort", "extreme"),
        ("--time-limit", "0"),
        ("--time-limit", "-1"),
        ("--time-limit", "nan"),
        ("--time-limit", "inf"),
        ("--time-limit", "soon"),
        ("--old-elf", "1.elf"),
    ],
)
def test_wrong_usage(wrong: tuple[str, ...], linked: Cli) -> None:
    before = linked.tree()
    done = linked("delta", *OPTIONS, *wrong)
    assert (done.status, done.stdout) == (2, "")
    assert linked.tree() == before


def test_linked_files_are_inputs(linked: Cli) -> None:
    linked.good("delta", *OPTIONS, *ELVES)
    assert apply_patch_python(scene.OLD, (linked.folder / "d.patch").read_bytes()) == scene.NEW
    before = linked.tree()
    done = linked("delta", *OPTIONS[:-1], "1.elf", *ELVES)
    assert (done.status, linked.tree()) == (1, before)
    assert "[FB0301]" in done.stderr


def test_linked_file_of_another_build_is_refused(linked: Cli) -> None:
    before = linked.tree()
    done = linked("delta", *OPTIONS, "--old-elf", "1.elf", "--new-elf", "1.elf")
    assert (done.status, done.stdout) == (1, "")
    assert "1.elf: the image is not that of this file" in done.stderr
    assert linked.tree() == before


def test_flat_image_in_place_of_a_linked_file_is_worth_a_warning(linked: Cli) -> None:
    done = linked.good("delta", *OPTIONS, "--old-elf", "1.elf", "--new-elf", "2.bin")
    assert "2.bin: this is not an ELF file, there are no symbols in it" in done.stderr


def test_explanation_as_text(linked: Cli) -> None:
    done = linked.good("delta", *OPTIONS, *ELVES, "--explain")
    lines = done.stdout.splitlines()
    assert lines[-2:] == ["d.patch", "d.yaml"]
    assert any(line.endswith("  added (new)") for line in lines)
    assert "needs 1024 bytes more memory on the device" in done.stdout
    assert sorted(path.name for path in linked.folder.glob("d.*")) == ["d.patch", "d.yaml"]


def test_explanation_as_page(linked: Cli) -> None:
    done = linked.good("delta", *OPTIONS, *ELVES, "--explain", "d.html")
    assert done.stdout.splitlines()[-3:] == ["d.patch", "d.yaml", "d.html"]
    page = (linked.folder / "d.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert "<h1>1.bin to 2.bin</h1>" in page
    linked.good("delta", *OPTIONS, *ELVES, "--explain", "again.html")
    assert (linked.folder / "again.html").read_text(encoding="utf-8") == page


def test_explanation_for_programs(linked: Cli) -> None:
    done = linked.good("--json", "delta", *OPTIONS, *ELVES, "--explain")
    values = json.loads(done.stdout)
    explanation = values["explanation"]
    assert explanation["patch-size"] == (linked.folder / "d.patch").stat().st_size
    assert explanation["parts"][0]["name"] == "added"
    assert [choice["block-size"] for choice in explanation["block-sizes"]] == [512, 1024, 4096]
    costs = sum(explanation["costs"].values()) + explanation["header"]
    assert costs == explanation["patch-size"]


def test_explanation_does_not_change_the_patch(linked: Cli) -> None:
    linked.good("delta", *OPTIONS)
    before = contents(linked.folder)
    linked.good("delta", *OPTIONS, "--explain")
    assert contents(linked.folder) == before


def test_a_patch_that_is_too_large_is_explained_and_not_written(linked: Cli) -> None:
    before = set(linked.tree())
    done = linked("delta", *OPTIONS, "-t", "1", "--explain", "why.html")
    assert done.status == 1
    assert "[FB0502]" in done.stderr
    assert "0x0" in done.stdout
    assert set(linked.tree()) - before == {"why.html"}


@pytest.mark.parametrize("page", ["d.patch", "d.yaml", "1.bin", "2.elf"])
def test_the_page_overwrites_nothing(page: str, linked: Cli) -> None:
    before = linked.tree()
    done = linked("delta", *OPTIONS, *ELVES, "--explain", page)
    assert (done.status, linked.tree()) == (1, before)
    assert "[FB0301]" in done.stderr


def test_dry_run_explains_nothing(linked: Cli) -> None:
    before = linked.tree()
    done = linked.good("delta", *OPTIONS, "--explain", "d.html", "--dry-run")
    assert linked.tree() == before
    assert done.stdout.splitlines() == ["d.patch", "d.yaml"]
