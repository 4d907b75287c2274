"""Unusual names, read-only sources, several programs, folders below others."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from ..scons.permissions import OBEYING_MODES
from .changes import LISTS
from .program import Generator
from .project import CMAKE_LISTS, COUNT, Project, our_commands
from .reference import make_reference

pytestmark = [pytest.mark.cmake, pytest.mark.cc]

UNUSUAL = "my späte Änderung's (2) & more Ω"


def test_spaces_and_other_letters_in_names(
    project: Callable[..., Project], generator: Generator, tmp_path: Path
) -> None:
    built = project(generator, UNUSUAL)
    folder = "ins tallé"
    built.path("releases").rename(built.path(folder))
    built.path("keys").rename(built.path(f"{folder}/keys ü"))
    built.path("vendor.dat").rename(built.path(f"{folder}/vendor data"))
    text = built.path("fotabuild.yaml").read_text(encoding="utf-8")
    text = text.replace("releases/app", f"{folder}/app").replace("keys/", f"{folder}/keys ü/")
    built.write(
        f"{folder}/é.yaml", text.replace("vendor.dat", "vendor data").replace(f"{folder}/", "")
    )
    built.edit("fotabuild.yaml", "vendor:", "- not used")
    text = CMAKE_LISTS.replace("VERSION 1.1.0", f'VERSION 1.1.0 CONFIG "{folder}/é.yaml"')
    built.write(LISTS, text.replace("SETTINGS", 'OUTPUT_DIRECTORY "ups & downs" SETTINGS'))
    for name in ("boot.bin", "sensor.bin"):
        built.path(name).rename(built.path(f"{folder}/{name}"))
    built.configured().made()
    config = built.path(f"{folder}/é.yaml")
    built.assert_up_to_date()
    reference = make_reference(built, tmp_path / "reference", config=config)
    reference.pop("update_default_resources.c")
    assert built.artifacts("ups & downs") == reference

    # The dependency file has all names right.
    built.write(f"{folder}/vendor data", "colour=blue")
    assert our_commands(built.made())
    built.assert_up_to_date()
    reference = make_reference(built, tmp_path / "again", config=config)
    reference.pop("update_default_resources.c")
    assert built.artifacts("ups & downs") == reference


def test_nothing_is_written_to_the_source_tree(
    project: Callable[..., Project], generator: Generator
) -> None:
    built = project(generator)
    before = {path: path.stat().st_mtime_ns for path in built.folder.rglob("*")}
    for path in [built.folder, *built.folder.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o400)
    try:
        probe = subprocess.run(
            [*OBEYING_MODES, "/bin/sh", "-c", ": > probe"],
            cwd=built.folder,
            check=False,
            stderr=subprocess.DEVNULL,
        )
        configured = built.configure(wrapper=OBEYING_MODES)
        done = built.make(wrapper=OBEYING_MODES)
    finally:
        for path in [built.folder, *built.folder.rglob("*")]:
            path.chmod(0o755 if path.is_dir() else 0o600)
    assert probe.returncode != 0, "the source tree can be written to"
    assert (configured.status, configured.stderr) == (0, "")
    assert (done.status, done.stderr) == (0, "")
    assert len(built.artifacts()) == COUNT
    assert {path: path.stat().st_mtime_ns for path in built.folder.rglob("*")} == before


def test_two_programs_of_one_project(
    project: Callable[..., Project], generator: Generator, tmp_path: Path
) -> None:
    built = project(generator)
    built.write(
        LISTS,
        CMAKE_LISTS
        + """\
add_executable(other main.c text.c)
target_compile_definitions(other PRIVATE minute=hour)
fotabuild_add_update(other VERSION 2.0.0 NAME app OUTPUT_DIRECTORY second EXCLUDE_FROM_ALL
    SETTINGS device.model-name=Other)
""",
    )
    built.configured().made("-j4")
    assert len(built.artifacts()) == COUNT
    assert built.artifacts("second") == {}
    built.made("-j4", "--target", "other-update")
    settings = {"device.model-name": "Other"}
    program = built.program.with_name("other")
    reference = make_reference(built, tmp_path / "reference", "2.0.0", settings, image=program)
    reference.pop("update_default_resources.c")
    assert built.artifacts("second") == reference
    built.assert_up_to_date()
    built.assert_up_to_date("--target", "other-update")
    # The first program's configuration is the same file: it depends on it, and on no setting of
    # the second.
    built.edit(LISTS, "=Other", "=Another")
    assert our_commands(built.made()) == ["update resources of other"]


SUBFOLDERS = """\
cmake_minimum_required(VERSION 3.20...4.0)
project(app LANGUAGES C)
add_executable(app main.c text.c)
add_subdirectory(update)
add_subdirectory(second)
"""
UPDATE = """\
find_package(FotaBuild CONFIG REQUIRED)
fotabuild_add_update(app VERSION 1.1.0 CONFIG ../fotabuild.yaml SETTINGS priority=1)
"""
SECOND = """\
find_package(FotaBuild CONFIG REQUIRED)
add_executable(second ../main.c ../text.c)
fotabuild_add_update(second VERSION 1.1.0 CONFIG ../fotabuild.yaml)
"""


def test_folders_below_others(
    project: Callable[..., Project], generator: Generator, tmp_path: Path
) -> None:
    built = project(generator)
    built.write(LISTS, SUBFOLDERS)
    built.write("update/CMakeLists.txt", UPDATE)
    built.write("second/CMakeLists.txt", SECOND)
    built.configured().made("-j4")
    built.assert_up_to_date()
    reference = make_reference(built, tmp_path / "reference")
    reference.pop("update_default_resources.c")
    assert built.artifacts("update/update") == reference
    assert len(built.artifacts("second/update")) == COUNT

    built.edit("fotabuild.yaml", "Widget", "Gadget")
    built.made("-j4")
    built.assert_up_to_date()
    reference = make_reference(built, tmp_path / "again")
    reference.pop("update_default_resources.c")
    assert built.artifacts("update/update") == reference
    for source in built.build.rglob("update_default_resources.c"):
        source.unlink()
    built.made()
    built.assert_up_to_date()


LOOK = """
cmake_policy(GET CMP0116 policy)
get_cmake_property(variables VARIABLES)
list(FILTER variables EXCLUDE REGEX "^(FotaBuild|FOTABUILD|_FOTABUILD|CMAKE_|variables|policy)")
message("${policy}:${variables}")
"""


@pytest.mark.parametrize("minimum", ["3.10", "3.20...4.0"])
def test_policies_and_variables_of_the_caller_stay(
    project: Callable[..., Project], minimum: str
) -> None:
    built = project()
    top = f"cmake_minimum_required(VERSION {minimum})\nproject(app LANGUAGES C)\n"
    built.write(LISTS, top + "add_subdirectory(second)\n")
    find, call = SECOND.split("\n", 1)
    built.write("second/CMakeLists.txt", f"{LOOK}{find}\n{call}{LOOK}")
    done = built.configure()
    assert done.status == 0
    before, after = done.stderr.splitlines()
    assert before == after
    assert before.startswith("NEW" if minimum != "3.10" else ":")
    built.made()
    assert len(built.artifacts("second/update")) == COUNT
    built.assert_up_to_date()
