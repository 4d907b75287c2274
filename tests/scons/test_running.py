"""Dry runs, cleaning, parallel runs, and other ways to decide and to keep."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .project import Project, made, write_tree
from .reference import make_reference
from .sconstructs import WAYS, WHOLE, Way

BY_NAME = pytest.mark.parametrize("way", WAYS, ids=lambda way: way.name)


@BY_NAME
def test_a_dry_run_says_everything_and_makes_nothing(
    project: Callable[..., Project], way: Way
) -> None:
    built = project(way.sconstruct)
    before = built.files()
    done = built.scons("-n")
    assert (done.status, done.stderr) == (0, "")
    expected = sorted(files[0] for files in way.artifacts().values())
    assert sorted(made(done.stdout)) == expected
    assert built.files() == before
    assert not built.path("build").exists()


@BY_NAME
def test_a_dry_run_after_a_change_makes_nothing(project: Callable[..., Project], way: Way) -> None:
    built = project(way.sconstruct)
    built.build()
    built.edit("fotabuild.yaml", "priority: 1", "priority: 2")
    before = built.files()
    assert len(made(built.scons("-n").stdout)) == 4
    assert built.files() == before
    assert len(built.build()) == 4


@BY_NAME
def test_cleaning_removes_exactly_the_artifacts(project: Callable[..., Project], way: Way) -> None:
    built = project(way.sconstruct)
    before = built.files()
    built.build()
    built.write("build/mine.txt", "not an artifact")
    done = built.scons("-c")
    assert (done.status, done.stderr) == (0, "")
    artifacts = way.files()
    assert sorted(done.stdout.splitlines()) == sorted(f"Removed {name}" for name in artifacts)
    assert built.files() == {**before, "build/mine.txt": b"not an artifact"}


@BY_NAME
def test_a_parallel_build_makes_the_same_bytes(
    project: Callable[..., Project], way: Way, tmp_path: Path
) -> None:
    built = project(way.sconstruct)
    built.build("-j4")
    made_files = {Path(name).name: data for name, data in built.files("build").items()}
    assert made_files == make_reference(built, way, tmp_path / "reference")
    built.assert_up_to_date("-j4")


@BY_NAME
def test_a_cache_keeps_deltas_and_never_manifests(
    project: Callable[..., Project], way: Way
) -> None:
    built = project(f'CacheDir("cache")\n{way.sconstruct}')
    built.build()
    first = built.files("build")
    signed = {data for name, data in first.items() if name.endswith(".manifest")}
    cached = set(built.files("cache").values())
    assert len(signed) == 4
    assert not signed & cached
    patches = {data for name, data in first.items() if name.endswith(".patch")}
    assert patches <= cached
    assert built.scons("-c").status == 0
    lines = built.scons().stdout.splitlines()
    retrieved = {line.split("'")[0].split("`")[1] for line in lines if line.startswith("Retr")}
    assert not [name for name in retrieved if name.endswith(".manifest")]
    assert {name for name in first if name.endswith(".patch")} <= retrieved
    assert len([line for line in lines if line.startswith("Signing ")]) == 4
    assert built.files("build") == first


def test_the_scons_under_test_can_be_chosen(
    project: Callable[..., Project], tmp_path: Path
) -> None:
    write_tree(tmp_path / "other", {"SCons/__init__.py": b"", "SCons/__main__.py": b"print(1)"})
    done = project().scons(env={"FOTABUILD_SCONS": str(tmp_path / "other")})
    assert (done.status, done.stdout, done.stderr) == (0, "1\n", "")


@pytest.mark.parametrize("decider", ["timestamp-newer", "MD5-timestamp"])
def test_other_deciders(project: Callable[..., Project], decider: str) -> None:
    built = project(f'{WHOLE}Decider("{decider}")\n')
    built.build()
    built.assert_up_to_date()
    built.edit("fotabuild.yaml", "priority: 1", "priority: 2")
    assert len(built.build()) == 4
