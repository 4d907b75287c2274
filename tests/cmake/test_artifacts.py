"""One function for each artifact."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .changes import LISTS
from .program import Generator
from .project import CMAKE_LISTS, Project, our_commands
from .reference import make_reference

pytestmark = [pytest.mark.cmake, pytest.mark.cc]

FIND = CMAKE_LISTS[: CMAKE_LISTS.index("fotabuild_add_update")]
SINGLE = (
    FIND
    + """\
if(GENERATOR_IS_MULTI_CONFIG OR CMAKE_CONFIGURATION_TYPES)
    set(out "$<CONFIG>")
else()
    set(out .)
endif()
fotabuild_add_resources(app SETTINGS priority=1)
fotabuild_add_image(image SOURCE $<TARGET_FILE:app> OUTPUT ${out}/app-1.1.0.bin TARGET app)
fotabuild_add_delta(delta OLD releases/app-1.0.0.bin NEW ${out}/app-1.1.0.bin
    OUTPUT ${out}/app-1.0.0-to-1.1.0.patch BLOCK_SIZE 512 THRESHOLD 60
    EFFORT balanced TIME_LIMIT 3600)
fotabuild_add_package(package IMAGE ${out}/app-1.1.0.bin OUTPUT ${out}/app-1.1.0.package.tar)
fotabuild_add_manifest(manifest PAYLOAD ${out}/app-1.1.0.bin FORMAT raw-binary VERSION 1.1.0
    OUTPUT ${out}/app-1.1.0.manifest SETTINGS priority=1)
fotabuild_add_manifest(delta-manifest PAYLOAD ${out}/app-1.0.0-to-1.1.0.patch
    FORMAT arm-patch-stream VERSION 1.1.0 OLD releases/app-1.0.0.bin OLD_VERSION 1.0.0
    OUTPUT ${out}/app-1.0.0-to-1.1.0.manifest SETTINGS priority=1)
fotabuild_add_manifest(package-manifest PAYLOAD ${out}/app-1.1.0.package.tar FORMAT combined
    VERSION 1.1.0 COMPONENT BUNDLE OUTPUT ${out}/app-1.1.0.package.manifest SETTINGS priority=1)
set(property $<TARGET_PROPERTY:delta,FOTABUILD_ARTIFACTS>)
file(GENERATE OUTPUT ${out}/delta.txt CONTENT "$<TARGET_GENEX_EVAL:delta,${property}>")
"""
)


def test_each_artifact_by_itself(
    project: Callable[..., Project], generator: Generator, tmp_path: Path
) -> None:
    built = project(generator)
    built.write(LISTS, SINGLE)
    built.configured()
    # Under make a target that needs another's file waits for it, and does not make it again.
    made = [name for name in our_commands(built.made("-j4")) if name.startswith("app-")]
    assert len(made) == 6
    built.assert_up_to_date()
    reference = make_reference(built, tmp_path / "reference")
    reference.pop("update_default_resources.c")
    reference.pop("app-1.1.0.factory.bin")  # There is no function for it alone.
    folder = built.build / generator.config_folder
    assert {path.name: path.read_bytes() for path in folder.glob("app-*")} == reference

    built.edit("fotabuild.yaml", "BUNDLE", "PAIR")
    built.edit("fotabuild.yaml", "vendor-data: widget", "vendor-data: x")
    assert our_commands(built.made()) == [
        "app-1.1.0.package.tar",
        "app-1.1.0.package.manifest",
    ]
    built.edit(LISTS, "THRESHOLD 60", "THRESHOLD 70")
    ran = our_commands(built.made())
    assert ran[0] == "app-1.0.0-to-1.1.0.patch"
    # Make does not see that the patch is the same.
    assert len(ran) == (1 if generator.is_ninja else 2)
    listed = (folder / "delta.txt").read_text(encoding="utf-8").split(";")
    assert listed == [str(folder / f"app-1.0.0-to-1.1.0.{suffix}") for suffix in ("patch", "yaml")]


ELSEWHERE = """\
cmake_minimum_required(VERSION 3.20...4.0)
project(app LANGUAGES C)
find_package(FotaBuild CONFIG REQUIRED)
add_subdirectory(image)
fotabuild_add_delta(delta OLD releases/app-1.0.0.bin NEW ${CMAKE_BINARY_DIR}/image/app.bin
    OUTPUT app.patch EXCLUDE_FROM_ALL)
add_custom_target(all-of-it ALL DEPENDS delta)
"""
IMAGE = """\
add_executable(app ../main.c ../text.c)
fotabuild_add_resources(app CONFIG ../fotabuild.yaml)
fotabuild_add_image(image SOURCE $<TARGET_FILE:app> OUTPUT app.bin TARGET app EXCLUDE_FROM_ALL)
"""


@pytest.mark.parametrize("generator", [Generator("Ninja"), Generator("Unix Makefiles")], ids=str)
def test_a_file_that_another_folder_makes(
    project: Callable[..., Project], generator: Generator
) -> None:
    built = project(generator)
    built.write(LISTS, ELSEWHERE)
    built.write("image/CMakeLists.txt", IMAGE)
    built.configured()
    assert our_commands(built.made("-j4"))[-2:] == ["app.bin", "app.patch"]
    built.assert_up_to_date()
    built.edit("text.c", "minute", "hour")
    assert our_commands(built.made("-j4")) == ["app.bin", "app.patch"]
    built.assert_up_to_date()


def test_a_binary_that_lies_there(project: Callable[..., Project]) -> None:
    built = project()
    built.write(
        LISTS,
        FIND[: FIND.index("add_executable")]
        + "fotabuild_add_image(image SOURCE ${CMAKE_SOURCE_DIR}/raw.bin OUTPUT app.bin)\n",
    )
    built.write("raw.bin", b"first")
    built.configured().made()
    built.write("raw.bin", b"second")
    assert our_commands(built.made()) == ["app.bin"]
    assert (built.build / "app.bin").read_bytes() == b"second"
    built.assert_up_to_date()
