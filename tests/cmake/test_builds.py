"""Whole builds: from nothing, again, in parallel, cleaned, with something missing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .changes import KEY
from .program import Generator
from .project import COUNT, MAIN, Project, our_commands
from .reference import make_reference

pytestmark = [pytest.mark.cmake, pytest.mark.cc]


def test_first_build_makes_everything_and_the_second_nothing(
    project: Callable[..., Project], generator: Generator, tmp_path: Path
) -> None:
    built = project(generator).configured()
    sources = _files(built.folder)
    built.made()
    reference = make_reference(built, tmp_path / "reference")
    (resources,) = built.build.rglob("update_default_resources.c")
    assert built.artifacts() | {resources.name: resources.read_bytes()} == reference
    built.assert_up_to_date()

    made = _files(built.build)
    built.made("--target", "clean")
    left = _files(built.build)
    gone = {path.name for path in made.keys() - left.keys()}
    assert gone >= {*reference, "app"}
    assert not [path for path in left if path.suffix == ".d"]
    assert _files(built.folder) == sources

    built.made("-j4")
    assert built.artifacts() | {resources.name: resources.read_bytes()} == reference
    built.assert_up_to_date()


def test_another_folder_and_four_jobs_give_the_same_bytes(
    project: Callable[..., Project], generator: Generator
) -> None:
    one = project(generator, "one").configured()
    one.made("-j1")
    other = project(generator, "another").configured()
    other.made("-j4")
    assert len(one.artifacts()) == COUNT
    assert one.artifacts() == other.artifacts()


def test_several_configurations_in_one_tree(project: Callable[..., Project]) -> None:
    built = project(Generator("Ninja Multi-Config"))
    built.edit("text.c", "minute", "minute, " + 'built with " LEVEL "')
    built.write(
        "CMakeLists.txt",
        built.path("CMakeLists.txt").read_text()
        + 'target_compile_definitions(app PRIVATE "LEVEL=\\"$<CONFIG>\\"")\n',
    )
    built.configured()
    built.made("--config", "Debug")
    built.made("--config", "Release")
    names = {f"{folder}/app-1.1.0.bin" for folder in ("Debug", "Release")}
    for name in names:
        text = f"built with {name.split('/')[0]}".encode()
        assert text in (built.build / "update" / name).read_bytes()
    built.assert_up_to_date("--config", "Debug")
    built.assert_up_to_date("--config", "Release")


def test_an_image_that_stays_the_same_starts_nothing(project: Callable[..., Project]) -> None:
    built = project().configured()
    built.made()
    before = _dates(built)
    built.write("main.c", "/* A comment. */\n" + MAIN)
    assert our_commands(built.made()) == ["app-1.1.0.bin and 6 more"]
    assert _dates(built) == before
    built.assert_up_to_date()

    _make_old_image_large(built)
    built.configured().made()
    before = _dates(built)
    built.write("main.c", "/* Another comment. */\n" + MAIN)
    assert our_commands(built.made()) == ["app-1.1.0.bin"]
    assert _dates(built) == before
    built.assert_up_to_date()


def test_a_missing_key_is_a_matter_of_the_build(
    project: Callable[..., Project], generator: Generator
) -> None:
    built = project(generator).configured()
    built.made()
    before = built.artifacts()
    key = built.path(KEY).read_bytes()
    built.path(KEY).unlink()
    built.edit("CMakeLists.txt", "priority=1", "priority=2")
    built.configured()

    done = built.make()
    assert done.status != 0
    # Ninja itself looks for the file before it starts, under make our command does.
    expected = (
        f"ninja: error: '{built.path(KEY)}', needed by "
        if generator.is_ninja
        else f"error: {built.path(KEY)}: cannot read the private key: No such file or directory "
    )
    lines = (done.stdout + done.stderr).splitlines()
    assert len([line for line in lines if line.startswith(expected)]) == 1
    assert "Traceback" not in done.stdout + done.stderr
    assert built.artifacts() == before

    built.write(KEY, key)
    built.path(KEY).chmod(0o600)
    built.made()
    assert built.artifacts() != before
    built.assert_up_to_date()


def test_settings_rank_between_environment_and_file(project: Callable[..., Project]) -> None:
    built = project()
    built.edit("CMakeLists.txt", "priority=1", "component=SET priority=2")
    built.configured(env={"FOTABUILD_PRIORITY": "3"})
    signature = next(built.build.rglob("app-1.1.0.manifest.json.signature")).read_text()
    assert '"component":"SET"' in signature
    assert '"priority":3' in signature


def test_relative_paths_do_not_depend_on_where_cmake_is_called(
    project: Callable[..., Project],
) -> None:
    built = project()
    built.path("keys").rename(built.path("moved"))
    built.edit("CMakeLists.txt", "priority=1", "credentials.key=moved/update.key.pem")
    built.configured(env={"FOTABUILD_CREDENTIALS_CERTIFICATE": "moved/update.cert.der"})
    built.made()
    built.assert_up_to_date()


def test_large_deltas_have_a_command_each_and_a_bound(project: Callable[..., Project]) -> None:
    built = project()
    text = built.path("CMakeLists.txt").read_text()
    built.write("CMakeLists.txt", text + "add_custom_target(x COMMAND true JOB_POOL mine)\n")
    _make_old_image_large(built)
    options = ("-DCMAKE_JOB_POOLS=mine=7", "-DFOTABUILD_DELTA_JOBS=3")
    built.configured(*options)
    rules = "".join(path.read_text() for path in built.build.rglob("*.ninja"))
    pools = dict(
        block.split("\n  depth = ")
        for block in rules.split("\npool ")[1:]
        for block in [block.split("\n\n")[0]]
    )
    assert {name: depth.split()[0] for name, depth in pools.items()} == {
        "mine": "7",
        "fotabuild_delta": "3",
    }
    commands = our_commands(built.made())
    assert commands[-3:] == [
        "app-1.1.0.bin",
        "app-1.0.0-to-1.1.0.patch",
        "app-1.1.0.manifest and 4 more",
    ]
    built.assert_up_to_date()


def _make_old_image_large(project: Project) -> None:
    old = project.path("releases/app-1.0.0.bin")
    old.write_bytes(old.read_bytes() + bytes(65536))


def _files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def _dates(project: Project) -> dict[Path, int]:
    folder = project.build / "update"
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}
